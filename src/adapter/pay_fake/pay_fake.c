/* pay_fake.c: the built-in payment provider.
 *
 * The book is what a real provider would have in its own house: one record for each charge, refusal, promise and
 * refund, appended to a file with one write(2) per call and a checksum each; in memory the same as an array of entries,
 * found by a map. Everything is idempotent by the order's number, so both keys (confirm:order, refund:order) are in the
 * entry.
 *
 * Troubles are of two kinds. Some change what is written into the book: a refusal, or a charge that nobody may know of
 * before `known_at`. Others only change what is told when. What happened to an order once is in its entry and stays so,
 * whatever the configuration of a later run says.
 *
 * One lock guards the book. Nobody sleeps and nobody is notified under it. */
#include "adapter/pay_fake/pay_fake.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/fault.h"
#include "base/map.h"

enum { TOKEN_DELAY_MS = 1000, PERMILLE = 1000 };

enum record_kind {
        RECORD_CHARGE = 1,
        RECORD_REFUSAL,
        RECORD_PROMISE /* a charge, when its time has come */,
        RECORD_REFUND
};

struct record {
        uint64_t order;
        int64_t amount;
        int64_t at;       /* ms */
        int64_t known_at; /* before, the provider answers as if it did not know; a promise is a charge from then on */
        uint32_t kind;
        char currency[4];
        uint32_t spare;
        uint32_t checksum;
};
_Static_assert(sizeof(struct record) == 48, "the book's records have a fixed size");

struct entry {
        int64_t amount, refunded;
        int64_t known_at;  /* of a charge or promise */
        int64_t silent_to; /* an order that is not charged yet is not heard before this */
        uint32_t refusals; /* refunds refused so far */
        uint8_t kind;      /* enum record_kind, or 0: only talked about */
        bool drafted;      /* the call at work has a record of it */
};

struct pay_fake {
        struct pay_provider provider; /* first: the port's */
        struct pay_fake_config config;
        int file;    /* -1: memory only */
        bool broken; /* half a write stands at its end and cannot be cut off: no more is written before the next start
                      */
        off_t length;
        pthread_mutex_t lock;
        struct map places; /* order → its place in entries */
        struct entry *entries;
        size_t count, capacity;
        struct pay_fake_sums sums;
};

/* --- rules --- */

static const char *const trouble_names[] = {
        [PAY_FAKE_DECLINE] = "decline",
        [PAY_FAKE_DELAY] = "delay",
        [PAY_FAKE_TIMEOUT_CHARGED] = "timeout-charged",
        [PAY_FAKE_TIMEOUT_NOT_CHARGED] = "timeout-not-charged",
        [PAY_FAKE_PENDING] = "pending",
        [PAY_FAKE_ANSWER_TWICE] = "answer-twice",
        [PAY_FAKE_NOTIFY_TWICE] = "notify-twice",
        [PAY_FAKE_NOTIFY_EARLY] = "notify-early",
        [PAY_FAKE_REFUSE_REFUND] = "refuse-refund",
};
enum { TROUBLES = sizeof trouble_names / sizeof trouble_names[0] };

static bool trouble_of(struct text name, enum pay_fake_trouble *ret_trouble) {
        for (unsigned i = 1; i < TROUBLES; i++) {
                if (text_equal(name, text_of(trouble_names[i]))) {
                        *ret_trouble = (enum pay_fake_trouble)i;
                        return true;
                }
        }
        return false;
}

/* Cuts off what stands before the first `mark`; all of it if there is none. */
static struct text cut(struct text *rest, char mark) {
        const char *end = rest->length > 0 ? memchr(rest->at, mark, rest->length) : NULL;
        size_t length = end ? (size_t)(end - rest->at) : rest->length;
        struct text piece = {rest->at, length};
        size_t used = end ? length + 1 : length;
        *rest = (struct text){rest->at + used, rest->length - used};
        return piece;
}

static bool explain(char problem[static 128], struct text piece, const char *why) {
        static const char start[] = "\"", middle[] = "\": ";
        size_t shown = piece.length < 40 ? piece.length : 40, length = strlen(why);
        char *at = problem;
        memcpy(at, start, sizeof start - 1);
        at += sizeof start - 1;
        if (shown > 0)
                memcpy(at, piece.at, shown);
        at += shown;
        memcpy(at, middle, sizeof middle - 1);
        at += sizeof middle - 1;
        PRE(length < 128 - 40 - sizeof start - sizeof middle);
        memcpy(at, why, length + 1);
        return false;
}

static bool parse_rule(struct text piece, struct pay_fake_rule *ret_rule, char problem[static 128]) {
        struct text rest = piece;
        struct text name = cut(&rest, ':'), share = cut(&rest, ':');
        bool has_delay = rest.length > 0;
        struct text delay = cut(&rest, ':');
        bool has_times = rest.length > 0;
        enum pay_fake_trouble trouble;
        uint64_t permille, delay_ms = 0, times = 1;
        if (!trouble_of(name, &trouble))
                return explain(problem, piece, "not a trouble; see docs/payments.md for their names");
        if (!text_to_number(share, PERMILLE, &permille))
                return explain(problem, piece, "needs a share in permille, 0 to 1000, after the name");
        if (has_delay && !text_to_number(delay, 3600000, &delay_ms))
                return explain(problem, piece, "the delay must be 0 to 3600000 milliseconds");
        if (has_times && (!text_to_number(rest, 1000, &times) || times == 0))
                return explain(problem, piece, "the number of times must be 1 to 1000");
        *ret_rule = (struct pay_fake_rule){.trouble = trouble,
                                           .permille = (uint32_t)permille,
                                           .delay_ms = (uint32_t)delay_ms,
                                           .times = (uint32_t)times};
        return true;
}

bool pay_fake_parse(const char *text, struct pay_fake_config *into, char problem[static 128]) {
        struct pay_fake_config config = *into;
        struct text rest = text_of(text);
        uint32_t sum = 0;
        config.rule_count = 0;
        while (rest.length > 0) {
                struct text piece = cut(&rest, ',');
                if (config.rule_count == PAY_FAKE_RULES_MAX)
                        return explain(problem, piece, "one rule too many; 16 are allowed");
                struct pay_fake_rule *rule = &config.rules[config.rule_count];
                if (!parse_rule(piece, rule, problem))
                        return false;
                sum += rule->permille;
                if (sum > PERMILLE)
                        return explain(problem, piece, "the shares add up to more than 1000");
                config.rule_count++;
        }
        *into = config;
        return true;
}

/* splitmix64: neighbouring orders get unlike troubles. */
static uint64_t mix(uint64_t x) {
        x += UINT64_C(0x9e3779b97f4a7c15);
        x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
        return x ^ x >> 31;
}

/* "timeout-charged" or "timeout-charged:500" or "refuse-refund:0:3": as a rule, without the share. */
static bool rule_of_token(const char *token, struct pay_fake_rule *ret_rule) {
        struct text rest = text_of(token);
        struct text name = cut(&rest, ':');
        uint64_t delay_ms = TOKEN_DELAY_MS, times = 1;
        enum pay_fake_trouble trouble;
        if (!trouble_of(name, &trouble))
                return false;
        if (rest.length > 0 && !text_to_number(cut(&rest, ':'), 3600000, &delay_ms))
                return false;
        if (rest.length > 0 && !text_to_number(rest, 1000, &times))
                return false;
        *ret_rule =
                (struct pay_fake_rule){.trouble = trouble, .delay_ms = (uint32_t)delay_ms, .times = (uint32_t)times};
        return true;
}

/* The order's trouble; trouble 0: none. */
static struct pay_fake_rule rule_of(const struct pay_fake *fake, const struct pay_order *order) {
        struct pay_fake_rule rule = {0};
        if (fake->config.token_rules && rule_of_token(order->token, &rule))
                return rule;
        uint32_t point = fake->config.rule_count > 0 ? (uint32_t)(mix(order->order) % PERMILLE) : 0;
        for (size_t i = 0; i < fake->config.rule_count; i++) {
                if (point < fake->config.rules[i].permille)
                        return fake->config.rules[i];
                point -= fake->config.rules[i].permille;
        }
        return rule;
}

/* --- the book --- */

static uint32_t checksum_of(const struct record *record) {
        return (uint32_t)text_hash(record, offsetof(struct record, checksum), 1);
}

/* The order's entry, made if it is new; NULL without memory. Valid until the next call. */
static struct entry *book_entry(struct pay_fake *fake, purchase_id order) {
        const uint64_t *place = map_find(&fake->places, order);
        if (place)
                return &fake->entries[*place];
        if (fake->count == fake->capacity) {
                size_t capacity = fake->capacity ? fake->capacity * 2 : 256;
                struct entry *entries = reallocarray(fake->entries, capacity, sizeof *entries);
                if (!entries)
                        return NULL;
                fake->entries = entries;
                fake->capacity = capacity;
        }
        if (map_put(&fake->places, order, fake->count) < 0)
                return NULL;
        fake->entries[fake->count] = (struct entry){0};
        return &fake->entries[fake->count++];
}

static void book_apply(struct pay_fake *fake, struct entry *entry, const struct record *record) {
        if (record->kind == RECORD_REFUND) {
                entry->refunded += record->amount;
                fake->sums.refunds++;
                fake->sums.refunded += record->amount;
                return;
        }
        entry->kind = (uint8_t)record->kind;
        entry->amount = record->amount;
        entry->known_at = record->known_at;
        if (record->kind == RECORD_CHARGE) {
                fake->sums.charges++;
                fake->sums.charged += record->amount;
        }
}

/* What one call adds to the book; written at once, then applied. */
struct draft {
        struct record records[PAY_BATCH_MAX];
        size_t count;
};

static void draft_add(struct draft *draft, struct entry *entry, enum record_kind kind, const struct pay_order *order,
                      int64_t amount, int64_t now, int64_t known_at) {
        entry->drafted = true;
        struct record *record = &draft->records[draft->count++];
        *record =
                (struct record){.order = order->order, .amount = amount, .at = now, .known_at = known_at, .kind = kind};
        memcpy(record->currency, order->amount.currency, sizeof record->currency);
        record->checksum = checksum_of(record);
}

/* False: nothing of it counts, as if the call had not come. */
static bool draft_write(struct pay_fake *fake, const struct draft *draft) {
        size_t length = draft->count * sizeof draft->records[0];
        for (size_t i = 0; i < draft->count; i++)
                book_entry(fake, draft->records[i].order)->drafted = false;
        if (length == 0)
                return true;
        if (fake->file >= 0) {
                if (fake->broken)
                        return false;
                ssize_t written = pwrite(fake->file, draft->records, length, fake->length);
                if (written != (ssize_t)length) {
                        fake->broken = ftruncate(fake->file, fake->length) != 0;
                        return false;
                }
                fake->length += (off_t)length;
        }
        for (size_t i = 0; i < draft->count; i++)
                book_apply(fake, book_entry(fake, draft->records[i].order), &draft->records[i]);
        return true;
}

/* --- answers --- */

static void answer(struct pay_result *result, enum pay_answer word, const char *code, purchase_id order) {
        static const char prefix[] = "fake_";
        size_t length = strlen(code);
        PRE(length < sizeof result->code);
        result->answer = word;
        memcpy(result->code, code, length + 1);
        memcpy(result->reference, prefix, sizeof prefix - 1);
        size_t digits = text_from_number(result->reference + sizeof prefix - 1, (int64_t)order);
        result->reference[sizeof prefix - 1 + digits] = '\0';
}

/* A promise whose time has come is charged by whoever asks first. True: the draft has the charge. */
static bool keep_promise(struct entry *entry, const struct pay_order *order, int64_t now, struct draft *draft) {
        if (entry->drafted || entry->kind != RECORD_PROMISE || now < entry->known_at)
                return false;
        draft_add(draft, entry, RECORD_CHARGE, order, entry->amount, now, entry->known_at);
        return true;
}

/* What is known about an order of which the book knows something. */
static void tell(const struct entry *entry, purchase_id order, int64_t now, bool also_returned,
                 struct pay_result *result) {
        if (entry->drafted) /* twice in one call */
                answer(result, PAY_UNKNOWN, "IN_PROGRESS", order);
        else if (entry->kind == RECORD_REFUSAL)
                answer(result, PAY_DECLINED, "CARD_DECLINED", order);
        else if (entry->kind == RECORD_PROMISE && now < entry->known_at)
                answer(result, PAY_PENDING, "PENDING", order);
        else if (now < entry->known_at)
                answer(result, PAY_UNKNOWN, "TIMEOUT", order);
        else if (also_returned && entry->refunded > 0 && entry->refunded >= entry->amount)
                answer(result, PAY_REFUNDED, "", order);
        else
                answer(result, PAY_APPROVED, "", order);
}

/* An order that was never decided about: by its rule. */
static void decide(struct entry *entry, const struct pay_order *order, const struct pay_fake_rule *rule, int64_t now,
                   struct draft *draft, struct pay_result *result) {
        int64_t later = now + rule->delay_ms;
        switch (rule->trouble) {
        case PAY_FAKE_DECLINE:
                draft_add(draft, entry, RECORD_REFUSAL, order, order->amount.amount, now, now);
                answer(result, PAY_DECLINED, "CARD_DECLINED", order->order);
                return;
        case PAY_FAKE_TIMEOUT_CHARGED:
                draft_add(draft, entry, RECORD_CHARGE, order, order->amount.amount, now, later);
                answer(result, PAY_UNKNOWN, "TIMEOUT", order->order);
                return;
        case PAY_FAKE_TIMEOUT_NOT_CHARGED:
                if (entry->silent_to == 0)
                        entry->silent_to = later; /* the first one is lost, and all that follow too soon */
                else if (now >= entry->silent_to)
                        break;
                answer(result, PAY_UNKNOWN, "TIMEOUT", order->order);
                return;
        case PAY_FAKE_PENDING:
                draft_add(draft, entry, RECORD_PROMISE, order, order->amount.amount, now, later);
                answer(result, PAY_PENDING, "PENDING", order->order);
                return;
        default:
                break;
        }
        draft_add(draft, entry, RECORD_CHARGE, order, order->amount.amount, now, now);
        answer(result, PAY_APPROVED, "", order->order);
}

static int64_t now_of(struct pay_fake *fake) {
        return fake->config.clock->now_ms(fake->config.clock);
}

/* The book could not be written: nobody knows anything. */
static void know_nothing(const struct pay_order *orders, struct pay_result *results, size_t count) {
        for (size_t i = 0; i < count; i++)
                answer(&results[i], PAY_UNKNOWN, "PROVIDER_ERROR", orders[i].order);
}

/* Under the lock: one batch of confirms, without the waiting and the noise around them. */
static void confirm_all(struct pay_fake *fake, const struct pay_order *orders, struct pay_result *results,
                        size_t count) {
        struct draft draft = {.count = 0};
        int64_t now = now_of(fake);
        for (size_t i = 0; i < count; i++) {
                struct entry *entry = book_entry(fake, orders[i].order);
                if (!entry) {
                        answer(&results[i], PAY_UNKNOWN, "PROVIDER_ERROR", orders[i].order);
                } else if (entry->kind == 0 && !entry->drafted) {
                        struct pay_fake_rule rule = rule_of(fake, &orders[i]);
                        decide(entry, &orders[i], &rule, now, &draft, &results[i]);
                } else if (keep_promise(entry, &orders[i], now, &draft)) {
                        answer(&results[i], PAY_APPROVED, "", orders[i].order);
                } else {
                        tell(entry, orders[i].order, now, false, &results[i]);
                }
        }
        if (!draft_write(fake, &draft))
                know_nothing(orders, results, count);
}

static void notify(struct pay_fake *fake, purchase_id order) {
        if (fake->provider.notify)
                fake->provider.notify(fake->provider.notify_context, order);
}

static void sleep_ms(uint32_t ms) {
        struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
        while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
                ;
}

/* Notifies as the rules say, and returns for how long the slowest answer is delayed. */
static uint32_t make_noise(struct pay_fake *fake, const struct pay_order *orders, size_t count, bool before_answer) {
        uint32_t delay_ms = 0;
        for (size_t i = 0; i < count && (fake->config.rule_count > 0 || fake->config.token_rules); i++) {
                struct pay_fake_rule rule = rule_of(fake, &orders[i]);
                bool early = rule.trouble == PAY_FAKE_NOTIFY_EARLY, twice = rule.trouble == PAY_FAKE_NOTIFY_TWICE;
                if (rule.trouble == PAY_FAKE_DELAY && rule.delay_ms > delay_ms)
                        delay_ms = rule.delay_ms;
                if (before_answer ? early : twice || rule.trouble == PAY_FAKE_ANSWER_TWICE)
                        notify(fake, orders[i].order);
                if (!before_answer && twice)
                        notify(fake, orders[i].order);
        }
        return delay_ms;
}

static void fake_confirm(struct pay_provider *provider, const struct pay_order *orders, struct pay_result *results,
                         size_t count) {
        struct pay_fake *fake = (struct pay_fake *)(void *)provider;
        PRE(count <= PAY_BATCH_MAX);
        pthread_mutex_lock(&fake->lock);
        confirm_all(fake, orders, results, count);
        pthread_mutex_unlock(&fake->lock);
        uint32_t delay_ms = make_noise(fake, orders, count, true);
        if (delay_ms > 0)
                sleep_ms(delay_ms);
        make_noise(fake, orders, count, false);
}

static void fake_query(struct pay_provider *provider, const struct pay_order *orders, struct pay_result *results,
                       size_t count) {
        struct pay_fake *fake = (struct pay_fake *)(void *)provider;
        PRE(count <= PAY_BATCH_MAX);
        struct draft draft = {.count = 0};
        pthread_mutex_lock(&fake->lock);
        int64_t now = now_of(fake);
        for (size_t i = 0; i < count; i++) {
                const uint64_t *place = map_find(&fake->places, orders[i].order);
                struct entry *entry = place ? &fake->entries[*place] : NULL;
                if (!entry || (entry->kind == 0 && !entry->drafted))
                        answer(&results[i], PAY_NOT_FOUND, "NOT_FOUND", orders[i].order);
                else if (keep_promise(entry, &orders[i], now, &draft))
                        answer(&results[i], PAY_APPROVED, "", orders[i].order);
                else
                        tell(entry, orders[i].order, now, true, &results[i]);
        }
        if (!draft_write(fake, &draft))
                know_nothing(orders, results, count);
        pthread_mutex_unlock(&fake->lock);
}

static void refund_one(struct pay_fake *fake, const struct pay_order *order, int64_t now, struct draft *draft,
                       struct pay_result *result) {
        const uint64_t *place = map_find(&fake->places, order->order);
        struct entry *entry = place ? &fake->entries[*place] : NULL;
        struct pay_fake_rule rule = rule_of(fake, order);
        if (!entry || entry->kind != RECORD_CHARGE) {
                answer(result, PAY_DECLINED, "NOT_PAID", order->order);
        } else if (entry->drafted || entry->refunded > 0) {
                answer(result, PAY_APPROVED, "", order->order); /* the same key: once */
        } else if (order->amount.amount <= 0 || order->amount.amount > entry->amount) {
                answer(result, PAY_DECLINED, "AMOUNT_NOT_REFUNDABLE", order->order);
        } else if (rule.trouble == PAY_FAKE_REFUSE_REFUND && entry->refusals < rule.times) {
                entry->refusals++;
                answer(result, PAY_DECLINED, "REFUND_REJECTED", order->order);
        } else {
                draft_add(draft, entry, RECORD_REFUND, order, order->amount.amount, now, now);
                answer(result, PAY_APPROVED, "", order->order);
        }
}

static void fake_refund(struct pay_provider *provider, const struct pay_order *orders, struct pay_result *results,
                        size_t count) {
        struct pay_fake *fake = (struct pay_fake *)(void *)provider;
        PRE(count <= PAY_BATCH_MAX);
        struct draft draft = {.count = 0};
        pthread_mutex_lock(&fake->lock);
        int64_t now = now_of(fake);
        for (size_t i = 0; i < count; i++)
                refund_one(fake, &orders[i], now, &draft, &results[i]);
        if (!draft_write(fake, &draft))
                know_nothing(orders, results, count);
        pthread_mutex_unlock(&fake->lock);
}

void pay_fake_sums(struct pay_provider *provider, struct pay_fake_sums *ret_sums) {
        struct pay_fake *fake = (struct pay_fake *)(void *)provider;
        pthread_mutex_lock(&fake->lock);
        *ret_sums = fake->sums;
        pthread_mutex_unlock(&fake->lock);
}

/* --- life --- */

static bool is_whole(const struct record *record) {
        return record->checksum == checksum_of(record) && record->order != 0 && record->kind >= RECORD_CHARGE &&
               record->kind <= RECORD_REFUND;
}

/* Applies the records up to the first that is not whole. What follows it is the torn end of the last write, unless a
 * whole record stands behind it: then the book is damaged. */
static int book_take(struct pay_fake *fake, const struct record *records, size_t count, bool *torn) {
        for (size_t i = 0; i < count; i++) {
                bool whole = is_whole(&records[i]);
                if (*torn && whole)
                        return FAULT_FORMAT;
                *torn |= !whole;
                if (*torn)
                        continue;
                struct entry *entry = book_entry(fake, records[i].order);
                if (!entry)
                        return -ENOMEM;
                book_apply(fake, entry, &records[i]);
                fake->length += (off_t)sizeof records[i];
        }
        return 0;
}

static int book_open(struct pay_fake *fake) {
        enum { AT_ONCE = 1024 };
        struct record *records = malloc(AT_ONCE * sizeof *records);
        fake->file = open(fake->config.book_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (!records || fake->file < 0) {
                int fault = records ? -errno : -ENOMEM;
                free(records);
                return fault;
        }
        bool torn = false;
        int fault = 0;
        for (off_t at = 0; !fault;) {
                ssize_t n = pread(fake->file, records, AT_ONCE * sizeof *records, at);
                if (n < 0)
                        fault = -errno;
                else
                        fault = book_take(fake, records, (size_t)n / sizeof *records, &torn);
                if (n < (ssize_t)sizeof *records)
                        break;
                at += n - n % (ssize_t)sizeof *records;
        }
        free(records);
        if (!fault && ftruncate(fake->file, fake->length) != 0)
                fault = -errno;
        return fault;
}

static void fake_close(struct pay_provider *provider) {
        struct pay_fake *fake = (struct pay_fake *)(void *)provider;
        if (fake->file >= 0)
                close(fake->file);
        map_deinit(&fake->places);
        free(fake->entries);
        pthread_mutex_destroy(&fake->lock);
        free(fake);
}

int pay_fake_new(struct pay_provider **ret_provider, const struct pay_fake_config *config) {
        struct pay_fake *fake = calloc(1, sizeof *fake);
        if (!fake)
                return -ENOMEM;
        fake->provider = (struct pay_provider){.name = "builtin",
                                               .confirm = fake_confirm,
                                               .query = fake_query,
                                               .refund = fake_refund,
                                               .close = fake_close};
        fake->config = *config;
        fake->file = -1;
        pthread_mutex_init(&fake->lock, NULL);
        map_init(&fake->places);
        int fault = config->book_path ? book_open(fake) : 0;
        if (fault) {
                fake_close(&fake->provider);
                return fault;
        }
        *ret_provider = &fake->provider;
        return 0;
}
