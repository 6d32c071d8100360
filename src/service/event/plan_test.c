/* plan_test.c: seating plans: what is read from them, every mistake by path and reason, and the compiled form.
 *
 * The path of the source tree is argument 1: the demo plans are there, and a real export may lie beside it. */
#include "base/unit_test.h"

#include <stdio.h>

#include "base/text.h"
#include "service/event/plan_memory.h"

static const char *root;

/* --- small plans, written with ' for " --- */

static struct plan *plan;
static struct plan_problems problems;

static int read_plan(const char *quoted, bool by_uuid) {
        static char json[8192];
        size_t n = strlen(quoted);
        assert_true(n < sizeof json);
        for (size_t i = 0; i <= n; i++)
                json[i] = (char)(quoted[i] == '\'' ? '"' : quoted[i]);
        plan = plan_free(plan);
        plan_problems_deinit(&problems);
        return plan_read(&plan, &problems, (struct text){json, n}, by_uuid);
}

static int forget(void **state) {
        (void)state;
        plan = plan_free(plan);
        plan_problems_deinit(&problems);
        return 0;
}

static const char small[] =
        "{'name':'Hall','size':{'width':100,'height':50},'categories':[{'name':'R','color':'#f00'},{'name':'S'}],"
        "'zones':["
        "{'name':'1층','zone_id':'1F','position':{'x':10,'y':20},'rows':["
        "{'row_number':'A','row_label':'%s열','seat_label':'%s번','position':{'x':1,'y':2},'seats':["
        "{'seat_guid':'A-1','seat_number':'1','uuid':'u1','position':{'x':0.5,'y':-0.25},'category':'R','radius':8,'start_direction':'<>'},"
        "{'seat_guid':'A-2','seat_number':'12a','uuid':'u2','position':{'x':25,'y':0},'category':'S','start_direction':null}]},"
        "{'row_number':'B','row_label':null,'seat_label':null,'row_number_position':null,'seats':["
        "{'seat_guid':'B-1','seat_number':'1','uuid':'u3','position':{'x':0,'y':0},'category':'R'}]}],"
        "'areas':[{'shape':'polygon','color':'#000','border_color':'#000','rotation':-12.5,'position':{'x':0,'y':0},"
        "'polygon':{'points':[{'x':0,'y':0},{'x':1,'y':1}]}},{'shape':'text','text':{'text':'Stage','position':{'x':0,'y':0},'size':20}},"
        "{'shape':'circle','circle':{'radius':3}},{'shape':'ellipse','ellipse':{'radius':{'x':1,'y':2}}},"
        "{'shape':'rectangle','rectangle':{'width':10,'height':20}}]},"
        "{'zone_id':'2F','position':{'x':0,'y':0},'rows':[{'row_number':'1','row_label':'Row','seat_label':'Seat','seats':["
        "{'seat_guid':'2-1','seat_number':'7','uuid':'u4','position':{'x':3,'y':4},'category':'S'}]}]}]}";

static void assert_label(seat_index seat, const char *expected) {
        char label[64];
        assert_int_equal(plan_seat_label(plan, seat, label, sizeof label), strlen(expected));
        assert_string_equal(label, expected);
}

static void assert_small(bool by_uuid) {
        assert_string_equal(plan->name, "Hall");
        assert_int_equal(plan->width, 100);
        assert_int_equal(plan->height, 50);
        assert_int_equal(plan->seat_count, 4);
        assert_int_equal(plan->row_count, 3);
        assert_int_equal(plan->zone_count, 2);
        assert_int_equal(plan->category_count, 2);
        assert_string_equal(plan->categories[0].color, "#f00");
        assert_null(plan->categories[1].color);
        assert_string_equal(plan->zones[0].name, "1층");
        assert_string_equal(plan->zones[1].name, "2F"); /* no name: its id */
        assert_true(plan->rows[1].zone == 0 && plan->rows[1].first_seat == 2 && plan->rows[1].seat_count == 1);
        const struct plan_seat *seat = &plan->seats[0];
        assert_true(seat->x == 11.5F && seat->y == 21.75F && seat->category == 0 && seat->row == 0);
        assert_true(plan->seats[2].x == 10 && plan->seats[2].y == 20); /* a row without a position */
        assert_string_equal(plan->seats[1].guid, by_uuid ? "u2" : "A-2");
        assert_label(0, "1층 A열 1번");
        assert_label(1, "1층 A열 12a번");
        assert_label(2, "1층 B 1");
        assert_label(3, "2F Row 1 Seat 7"); /* labels without %s */
}

static void a_plan_is_read(void **state) {
        (void)state;
        assert_int_equal(read_plan(small, false), PLAN_OK);
        assert_small(false);
        assert_int_equal(read_plan(small, true), PLAN_OK);
        assert_small(true);
}

static void labels_are_cut_between_characters(void **state) {
        (void)state;
        assert_int_equal(read_plan(small, false), PLAN_OK);
        char label[32];
        for (size_t capacity = 1; capacity < 20; capacity++) {
                size_t length = plan_seat_label(plan, 0, label, capacity);
                assert_true(length < capacity && strlen(label) == length);
                assert_true(text_is_utf8((struct text){label, length}));
        }
        plan_seat_label(plan, 0, label, 5);
        assert_string_equal(label, "1층");
        plan_seat_label(plan, 0, label, 8);
        assert_string_equal(label, "1층 A");
}

/* --- mistakes --- */

#define SEAT(guid, more) "{'seat_guid':'" guid "','seat_number':'1','position':{'x':0,'y':0},'category':'R'" more "}"
#define ROW(seats) "{'row_number':'1','seats':[" seats "]}"
#define ZONE(rows) "{'name':'Z','position':{'x':0,'y':0},'rows':[" rows "]}"
#define PLAN(zones) "{'name':'P','size':{'width':9,'height':9},'categories':[{'name':'R'}],'zones':[" zones "]}"

static void mistakes_are_named_by_path_and_reason(void **state) {
        (void)state;
        static const struct { const char *plan, *problem; } rows[] = {
                {"", "plan: the document is not valid JSON: line 1, column 0: '[' or '{' expected near end of file"},
                {"[]", "plan: the document must be an object"},
                {"{'size':{'width':9,'height':9},'categories':[],'zones':[]}", "name: is required"},
                {"{'name':'P','categories':[],'zones':[]}", "size: is required"},
                {"{'name':'P','size':{'width':9.5,'height':9},'categories':[],'zones':[]}",
                 "size.width: must be a whole number from 1 to 1000000"},
                {"{'name':'P','size':{'width':9,'height':9},'zones':[]}", "categories: is required"},
                {"{'name':'P','size':{'width':9,'height':9},'categories':[]}", "zones: is required"},
                {PLAN(""), "zones: there is no seat in the plan"},
                {PLAN(ZONE("")), "zones: there is no seat in the plan"},
                {PLAN(ZONE(ROW(""))), "zones: there is no seat in the plan"},
                {PLAN("{'rows':[]}"), "zones[0].position: is required"},
                {PLAN("{'position':{'x':0,'y':0}}"), "zones[0].rows: is required"},
                {PLAN("{'position':{'x':0},'rows':[]}"), "zones[0].position.y: is required"},
                {PLAN("{'position':{'x':0,'y':'1'},'rows':[]}"), "zones[0].position.y: must be a number from -1000000 to 1000000"},
                {PLAN("{'position':{'x':0,'y':0,'z':0},'rows':[]}"), "zones[0].position.z: is not a field that is known here"},
                {PLAN(ZONE("{'seats':[]}")), "zones[0].rows[0].row_number: is required"},
                {PLAN(ZONE("{'row_number':1,'seats':[]}")), "zones[0].rows[0].row_number: must be text"},
                {PLAN(ZONE("{'row_number':'1'}")), "zones[0].rows[0].seats: is required"},
                {PLAN(ZONE(ROW("{'seat_number':'1','position':{'x':0,'y':0},'category':'R'}"))),
                 "zones[0].rows[0].seats[0].seat_guid: is required"},
                {PLAN(ZONE(ROW("{'seat_guid':'1','position':{'x':0,'y':0},'category':'R'}"))),
                 "zones[0].rows[0].seats[0].seat_number: is required"},
                {PLAN(ZONE(ROW("{'seat_guid':'1','seat_number':'1','category':'R'}"))), "zones[0].rows[0].seats[0].position: is required"},
                {PLAN(ZONE(ROW("{'seat_guid':'1','seat_number':'1','position':{'x':0,'y':0}}"))),
                 "zones[0].rows[0].seats[0].category: is required"},
                {PLAN(ZONE(ROW(SEAT("1", ",'wheelchair':true")))),
                 "zones[0].rows[0].seats[0].wheelchair: is not a field that is known here"},
                {PLAN("{'position':{'x':0,'y':0},'rows':[],'areas':[{'shape':'circle','circle':{}}]}"),
                 "zones[0].areas[0].circle.radius: is required"},
                {PLAN(ZONE(ROW("{'seat_guid':'1','seat_number':'1','position':{'x':0,'y':0},'category':'Gold'}"))),
                 "zones[0].rows[0].seats[0].category: there is no category \"Gold\""},
                {PLAN(ZONE(ROW(SEAT("", "")))),
                 "zones[0].rows[0].seats[0].seat_guid: must not be empty, begin or end with a blank, or hold control characters"},
                {PLAN(ZONE(ROW(SEAT(" 1", "")))),
                 "zones[0].rows[0].seats[0].seat_guid: must not be empty, begin or end with a blank, or hold control characters"},
                {PLAN(ZONE(ROW(SEAT("1 ", "")))),
                 "zones[0].rows[0].seats[0].seat_guid: must not be empty, begin or end with a blank, or hold control characters"},
                {PLAN(ZONE(ROW(SEAT("1\\u00092", "")))),
                 "zones[0].rows[0].seats[0].seat_guid: must not be empty, begin or end with a blank, or hold control characters"},
                {PLAN(ZONE(ROW(SEAT("1", "") "," SEAT("2", "")) "," ROW(SEAT("1", "")))),
                 "zones[0].rows[0].seats[0].seat_guid: \"1\" is used by 2 seats: zones[0].rows[0].seats[0], zones[0].rows[1].seats[0]"},
                {"{'name':'P','size':{'width':9,'height':9},'categories':[{'name':'R'},{'name':'R'}],'zones':["
                 ZONE(ROW(SEAT("1", ""))) "]}",
                 "categories[1].name: \"R\" is the name of categories[0] too"},
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                assert_int_equal(read_plan(rows[i].plan, false), PLAN_REFUSED);
                assert_int_equal(problems.count, 1);
                assert_string_equal(problems.lines[0], rows[i].problem);
                assert_null(plan);
        }
}

static void uuids_must_be_there_to_be_the_identity(void **state) {
        (void)state;
        static const char *const some = PLAN(ZONE(ROW(SEAT("1", ",'uuid':'u'") "," SEAT("2", "") "," SEAT("3", ",'uuid':'u'"))));
        assert_int_equal(read_plan(some, false), PLAN_OK);
        assert_int_equal(read_plan(some, true), PLAN_REFUSED);
        assert_int_equal(problems.count, 2);
        assert_string_equal(problems.lines[0], "zones[0].rows[0].seats[1].uuid: is required, as seats are to be known by it");
        assert_string_equal(problems.lines[1], "zones[0].rows[0].seats[0].uuid: \"u\" is used by 2 seats: zones[0].rows[0].seats[0], "
                                               "zones[0].rows[0].seats[2]");
}

static void all_mistakes_are_told_at_once(void **state) {
        (void)state;
        assert_int_equal(read_plan(PLAN("{'rows':[{}]},{'position':1,'rows':[],'x':1}"), false), PLAN_REFUSED);
        assert_int_equal(problems.count, 5);
        static const char *const clash = PLAN(ZONE(ROW(SEAT("b", "") "," SEAT("a", "") "," SEAT("a", ",'radius':1") "," SEAT("b", ""))) ","
                                              ZONE(ROW("{'seat_guid':'b','seat_number':'','position':{'x':0,'y':0},'category':'X'}")));
        assert_int_equal(read_plan(clash, false), PLAN_REFUSED);
        assert_int_equal(problems.count, 3);
        assert_string_equal(problems.lines[0], "zones[1].rows[0].seats[0].category: there is no category \"X\"");
        assert_non_null(strstr(problems.lines[1], "\"b\" is used by 3 seats: zones[0].rows[0].seats[0], zones[0].rows[0].seats[3], "
                                                  "zones[1].rows[0].seats[0]"));
        assert_non_null(strstr(problems.lines[2], "\"a\" is used by 2 seats"));
}

static void mistakes_beyond_the_limit_are_counted(void **state) {
        (void)state;
        struct buffer json;
        buffer_init(&json, PLAN_BYTES_MAX);
        buffer_add_string(&json, "{\"name\":\"P\",\"size\":{\"width\":9,\"height\":9},\"categories\":[],\"zones\":["
                                 "{\"position\":{\"x\":0,\"y\":0},\"rows\":[{\"row_number\":\"1\",\"seats\":[");
        for (unsigned i = 0; i < 3000; i++)
                buffer_printf(&json, "%s{\"seat_guid\":\"%u\",\"seat_number\":\"1\",\"position\":{\"x\":0,\"y\":0},\"category\":\"R\"}",
                              i ? "," : "", i);
        buffer_add_string(&json, "]}]}]}");
        assert_int_equal(plan_read(&plan, &problems, buffer_text(&json), false), PLAN_REFUSED);
        assert_int_equal(problems.count, 3000);
        assert_string_equal(problems.lines[PLAN_PROBLEMS_MAX - 1], "zones[0].rows[0].seats[999].category: there is no category \"R\"");
        buffer_deinit(&json);
}

static void a_document_too_large_is_refused_unread(void **state) {
        (void)state;
        assert_int_equal(plan_read(&plan, &problems, (struct text){"{", (size_t)PLAN_BYTES_MAX + 1}, false), PLAN_REFUSED);
        assert_string_equal(problems.lines[0], "plan: the document is larger than 33554432 bytes");
}

/* --- descriptions, and the compiled form --- */

static void a_plan_is_described(void **state) {
        (void)state;
        struct buffer out;
        buffer_init(&out, 65536);
        assert_int_equal(read_plan(small, false), PLAN_OK);
        plan_describe(plan, &out, true);
        assert_true(text_equal(buffer_text(&out),
                               TEXT("{\"name\":\"Hall\",\"width\":100,\"height\":50,\"seats\":4,\"rows\":3,\"categories\":["
                                    "{\"index\":0,\"name\":\"R\",\"color\":\"#f00\",\"seats\":2},"
                                    "{\"index\":1,\"name\":\"S\",\"color\":null,\"seats\":2}],\"zones\":["
                                    "{\"name\":\"1층\",\"rows\":2,\"seats\":3},{\"name\":\"2F\",\"rows\":1,\"seats\":1}]}")));
        buffer_clear(&out);
        plan_describe(plan, &out, false);
        buffer_add(&out, "", 1);
        assert_non_null(strstr(out.at, "Hall: 4 seats in 3 rows and 2 zones, 100 by 50\n"));
        buffer_deinit(&out);
}

static void the_compiled_form_is_the_plan(void **state) {
        (void)state;
        struct buffer packed;
        buffer_init(&packed, 65536);
        assert_int_equal(read_plan(small, false), PLAN_OK);
        plan_pack(plan, &packed);
        plan = plan_free(plan);
        assert_int_equal(plan_unpack(&plan, buffer_text(&packed)), 0);
        assert_small(false);
        buffer_deinit(&packed);
}

/* Whatever bytes it is: refused, or a plan whose every index is in range. */
static void a_broken_compiled_form_is_not_taken(void **state) {
        (void)state;
        struct buffer packed;
        buffer_init(&packed, 65536);
        assert_int_equal(read_plan(small, false), PLAN_OK);
        plan_pack(plan, &packed);
        struct plan *other = NULL;
        for (size_t n = 0; n < packed.length; n++)
                assert_int_equal(plan_unpack(&other, (struct text){packed.at, n}), 1);
        unsigned refused = 0;
        for (size_t i = 0; i < packed.length; i++) {
                for (unsigned bit = 0; bit < 8; bit++) {
                        packed.at[i] = (char)(packed.at[i] ^ (1 << bit));
                        int r = plan_unpack(&other, buffer_text(&packed));
                        assert_true(r == 0 || r == 1);
                        refused += r == 1;
                        for (uint32_t s = 0; r == 0 && s < other->seat_count; s++) {
                                char label[256];
                                plan_seat_label(other, s, label, sizeof label);
                                assert_true(other->seats[s].category < other->category_count);
                        }
                        other = r == 0 ? plan_free(other) : NULL;
                        packed.at[i] = (char)(packed.at[i] ^ (1 << bit));
                }
        }
        assert_true(refused > 100);
        buffer_deinit(&packed);
}

/* --- whole files --- */

static bool read_file(const char *name, struct buffer *into) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", root, name);
        FILE *file = fopen(path, "rb");
        if (!file)
                return false;
        buffer_init(into, PLAN_BYTES_MAX);
        size_t n;
        do {
                char *room = buffer_reserve(into, 65536);
                assert_non_null(room);
                n = fread(room, 1, 65536, file);
                into->length += n;
        } while (n > 0);
        (void)fclose(file);
        return true;
}

static uint32_t seats_in(const char *category) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < plan->seat_count; i++)
                count += strcmp(plan->categories[plan->seats[i].category].name, category) == 0;
        return count;
}

struct expected { const char *category; uint32_t seats; };

static void check_demo(const char *name, uint32_t zones, uint32_t rows, uint32_t seats, const struct expected *expected, size_t count) {
        struct buffer json;
        assert_true(read_file(name, &json));
        assert_int_equal(plan_read(&plan, &problems, buffer_text(&json), false), PLAN_OK);
        assert_int_equal(plan->zone_count, zones);
        assert_int_equal(plan->row_count, rows);
        assert_int_equal(plan->seat_count, seats);
        assert_int_equal(plan->category_count, count);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(seats_in(expected[i].category), expected[i].seats);
        buffer_deinit(&json);
}

static void the_demo_theatre_is_whole(void **state) {
        (void)state;
        static const struct expected categories[] = {
                {"S", 709}, {"R", 552}, {"A", 451}, {"B", 264}, {"VIP", 226}, {"Box", 80}, {"Restricted view", 14}, {"Wheelchair", 2},
                {"Companion", 2},
        };
        check_demo("deploy/plans/theatre-2300.json", 4, 65, 2300, categories, sizeof categories / sizeof categories[0]);
        assert_label(0, "1층 (Stalls) A열 25번");
}

static void the_demo_arena_is_whole(void **state) {
        (void)state;
        static const struct expected categories[] = {
                {"P4", 2282}, {"P3", 2191}, {"P2", 1963}, {"Side view", 1787}, {"P1", 1645}, {"Floor", 1584}, {"VIP", 496},
                {"Wheelchair", 26}, {"Companion", 26},
        };
        check_demo("deploy/plans/arena-12000.json", 73, 902, 12000, categories, sizeof categories / sizeof categories[0]);
}

static void a_real_export_repeats_its_ids(void **state) {
        (void)state;
        struct buffer json;
        if (!read_file("../shared/data/plans/real-export-738.json", &json))
                skip();
        assert_int_equal(plan_read(&plan, &problems, buffer_text(&json), false), PLAN_REFUSED);
        assert_int_equal(problems.count, 126);
        for (unsigned i = 0; i < problems.count; i++)
                assert_non_null(strstr(problems.lines[i], "is used by"));
        assert_int_equal(plan_read(&plan, &problems, buffer_text(&json), true), PLAN_OK);
        assert_int_equal(plan->seat_count, 738);
        buffer_deinit(&json);
}

int main(int count, char **arguments) {
        root = count > 1 ? arguments[1] : ".";
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(a_plan_is_read, forget),
                cmocka_unit_test_teardown(labels_are_cut_between_characters, forget),
                cmocka_unit_test_teardown(mistakes_are_named_by_path_and_reason, forget),
                cmocka_unit_test_teardown(uuids_must_be_there_to_be_the_identity, forget),
                cmocka_unit_test_teardown(all_mistakes_are_told_at_once, forget),
                cmocka_unit_test_teardown(mistakes_beyond_the_limit_are_counted, forget),
                cmocka_unit_test_teardown(a_document_too_large_is_refused_unread, forget),
                cmocka_unit_test_teardown(a_plan_is_described, forget),
                cmocka_unit_test_teardown(the_compiled_form_is_the_plan, forget),
                cmocka_unit_test_teardown(a_broken_compiled_form_is_not_taken, forget),
                cmocka_unit_test_teardown(the_demo_theatre_is_whole, forget),
                cmocka_unit_test_teardown(the_demo_arena_is_whole, forget),
                cmocka_unit_test_teardown(a_real_export_repeats_its_ids, forget),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
