#include "service/user/user_store.h"

const struct db_migration user_migrations[] = {
        {"user", 1,
         "CREATE TABLE account(id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash "
         "TEXT NOT NULL, "
         "role INTEGER NOT NULL, created_at INTEGER NOT NULL)"},
};
const size_t user_migration_count = sizeof user_migrations / sizeof *user_migrations;

static int mark(void *context, size_t index, const struct db_row *row) {
        (void)row;
        ((bool *)context)[index] = true;
        return 0;
}

int account_insert(struct turn *turn, struct account *const *accounts, bool *ret_created, size_t count) {
        static const struct db_statement insert = {
                "INSERT INTO account(id, email, name, password_hash, role, created_at) "
                "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id",
                6};
        struct db_value *values = arena_take(turn->arena, count * insert.parameters * sizeof *values);
        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                const struct account *account = accounts[i];
                struct db_value *row = values + i * insert.parameters;
                row[0] = db_id(account->id);
                row[1] = db_text((struct text){account->email, account->email_length});
                row[2] = db_text((struct text){account->name, account->name_length});
                row[3] = db_text(text_of(account->password_hash));
                row[4] = db_int(account->role);
                row[5] = db_int(account->created_at);
        }
        return db_run(turn->db, &insert, values, count, mark, ret_created, NULL);
}

struct selection {
        struct account *account;
        bool *found;
};

/* Bytes of a column into an array of the struct; what does not fit was not written by us. */
static bool copy_column(const struct db_row *row, unsigned column, char *out, size_t capacity, size_t *ret_length) {
        struct text bytes = db_row_bytes(row, column);
        if (bytes.length > capacity)
                return false;
        memcpy(out, bytes.at, bytes.length);
        *ret_length = bytes.length;
        return true;
}

static int on_account(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct selection *selection = context;
        struct account *account = selection->account;
        size_t hash_length;
        account->id = db_row_id(row, 0);
        account->role = (enum role)db_row_int(row, 4);
        account->created_at = db_row_int(row, 5);
        if (!copy_column(row, 1, account->email, sizeof account->email, &account->email_length) ||
            !copy_column(row, 2, account->name, sizeof account->name, &account->name_length) ||
            !copy_column(row, 3, account->password_hash, sizeof account->password_hash - 1, &hash_length) ||
            account->role < ROLE_BUYER || account->role > ROLE_OPERATOR)
                return FAULT_FORMAT;
        account->password_hash[hash_length] = '\0';
        *selection->found = true;
        return 0;
}

int account_select(struct turn *turn, struct account *const *accounts, bool *ret_found, size_t count) {
        static const struct db_statement by_id = {
                "SELECT id, email, name, password_hash, role, created_at FROM account WHERE id = $1", 1};
        static const struct db_statement by_email = {
                "SELECT id, email, name, password_hash, role, created_at FROM account WHERE email = $1", 1};
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                struct account *account = accounts[i];
                struct selection selection = {account, &ret_found[i]};
                struct db_value key = account->id ? db_id(account->id)
                                                  : db_text((struct text){account->email, account->email_length});
                fault = db_run(turn->db, account->id ? &by_id : &by_email, &key, 1, on_account, &selection, NULL);
        }
        return fault;
}

int account_update_role(struct turn *turn, account_id id, enum role role, bool *ret_found) {
        static const struct db_statement update = {"UPDATE account SET role = $2 WHERE id = $1", 2};
        struct db_value values[] = {db_id(id), db_int(role)};
        int64_t changed = 0;
        int fault = db_run(turn->db, &update, values, 1, NULL, NULL, &changed);
        if (!fault)
                *ret_found = changed > 0;
        return fault;
}
