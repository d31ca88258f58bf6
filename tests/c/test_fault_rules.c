/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: vssd/fault/*.c spec/commands.c core/util/clock.c core/util/error.c core/util/log.c */
/* Fault rules of the virtual SSD: their text, and which occasions they match. */
#include "tests/c/test.h"

#include "core/util/clock.h"
#include "core/util/random.h"
#include "spec/commands.h"
#include "vssd/fault/faults.h"
#include "vssd/fault/parse.h"
#include "vssd/fault/words.h"

static const char *const rules[] = {
	"do status=00/06",
	"name=a.b-1 opcode=read do skip",
	"opcode!=flush queue=3 nsid=1 lba=256..511 nth=3 do status=02/81 dnr=0 crd=2 result=0x10000 count=1",
	"queue=io opcode=0x91 do skip",
	"cdw12[31:30]=1..2 prp1[11:0]!=0 cid&0x8000 do set prp1[63:40]=0 nlb=7",
	"opcode=write slba>=4294967296 do add slba[31:0]=-8 nsid=1",
	"log=2 every=2 do bytes at=48 size=8 add=-1",
	"feature=6 chance=0.25 seed=9 do bytes at=0 freeze",
	"cns=1 do bytes at=24 size=40 freeze",
	"status!=00/00 do set cqe.sct=0 cqe.sc=0 cqe.dnr=0",
	"after=rule:a.b-1 opcode=read do late=1us..500us",
	"since=flush within=700 opcode=read do never",
	"register=CSTS access=read do set value[3:2]=1",
	"config=4 do drop",
	"on=flr do keep=features",
	"on=power-loss do cache chance=0.5 seed=7 torn=256 pair=8",
	"while!=sanitizing temperature>=350 unflushed<=3 do reset=controller delay=5",
	"on=format-nvm do power-off delay=5",
	"on=write do set cqe.sqhd=0",
	"on=interrupt masked=1 vector=2 do drop",
	"opcode=write do split=8192 gap=1..2 reverse",
	"opcode=dataset-management do bytes at=4 size=4 value=8 if=0 each=16",
	"opcode=write do flip byte=3 bit=1 metadata=1",
	"written[27:0]<=1048576 opcode=write do late=1..50 shape=tail",
	"temperature>=350 do pace=10000000 burst=4096",
	"on=power-loss do cache chance=0.5 flushed=700 versions",
	"opcode=read do older back=3",
	"while=throttling while!=read-only do defect=none delay=3",
	"opcode=io-management-receive do power-cycle at=512 delay=1..9 off=100",
};

/* Print what the text parses to. Empty: it does not parse. */
static const char *canonical(const char *text, struct pyn_error *err)
{
	static char printed[VSSD_FAULT_TEXT];
	struct vssd_fault_rule rule;

	printed[0] = '\0';
	if (vssd_fault_parse(text, &rule, err) == 0)
		vssd_fault_print(&rule, printed);
	return printed;
}

static void check_round_trip(const char *text)
{
	struct pyn_error err = {0};
	char once[VSSD_FAULT_TEXT];

	strcpy(once, canonical(text, &err));
	CHECK_STR(err.text, "");
	CHECK_STR(canonical(once, &err), once);
}

TEST(a_printed_rule_parses_to_the_same_rule)
{
	struct pyn_error err = {0};

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		check_round_trip(rules[i]);
	for (size_t i = 0; i < vssd_fault_num_actions; i++)
		check_round_trip(vssd_fault_actions[i].example);
	/* What people write, and how it is printed. */
	CHECK_STR(canonical("opcode=trim  lba=100h..1FFh\tdo   late=2s", &err),
		  "opcode=dataset-management lba=256..511 do late=2000");
	CHECK_STR(canonical("opcode=write nlb<8 bytes>4K do fill=0xff at=0", &err),
		  "opcode=write nlb<=7 bytes>=4097 do fill=255 at=0");
	CHECK_STR(canonical("queue=0 opcode=2 do skip", &err), "queue=admin opcode=get-log-page do skip");
	CHECK_STR(err.text, "");
}

TEST(each_action_and_its_example_agree)
{
	struct vssd_fault_rule rule;
	struct pyn_error err = {0};

	for (size_t i = 0; i < vssd_fault_num_actions; i++) {
		CHECK_EQ(vssd_fault_parse(vssd_fault_actions[i].example, &rule, &err), 0);
		CHECK_EQ(rule.action, vssd_fault_actions[i].action);
		CHECK_EQ(vssd_fault_actions[i].action, i);
		CHECK(vssd_fault_actions[i].help[0]);
	}
	CHECK_EQ(vssd_fault_num_actions, VSSD_FAULT_ACTIONS);
}

TEST(what_is_wrong_is_refused_with_the_word_and_the_rule)
{
	static const struct {
		const char *text;
		const char *says;
	} wrong[] = {
		{"", "\"do\" is missing"},
		{"opcode=read", "\"do\" is missing"},
		{"opcode=read do", "has no action"},
		{"opcode=raed do skip", "\"opcode=raed\" must have a command's name"},
		{"opcode=2 do skip", "add queue=admin or queue=io"},
		{"colour=red do skip", "\"colour=red\" is no condition"},
		{"opcode do skip", "\"opcode\" must have"},
		{"opcode= do skip", "\"opcode=\" must be NAME"},
		{"lba=9..3 do skip", "\"lba=9..3\" must have a number"},
		{"lba=18446744073709551616 do skip", "must have a number"},
		{"cdw12[32]=1 do skip", "has no such bits"},
		{"cdw12[3:7]=1 do skip", "must be NAME"},
		{"cdw12[7]do skip", "must be NAME"},
		{"opcode[1]=read do skip", "has no such bits"},
		{"opcode>=read do skip", "can only be compared by = or !="},
		{"nlb<0 do skip", "never holds"},
		{"nth=0 do skip", "a number of at least 1"},
		{"chance=1.5 do skip", "a probability"},
		{"chance=0 do skip", "a probability"},
		{"do fliip", "\"fliip\" is no action"},
		{"do skip=3", "takes no value"},
		{"do status", "must have SCT/SC"},
		{"do status=8/0", "must have SCT/SC"},
		{"do flip bit=8", "must be at most 7"},
		{"do flip crd=1", "does not follow flip"},
		{"do skip count=0", "a number of at least 1"},
		{"do set", "needs more words"},
		{"do set cqe.cid=1 slba=2", "must be a field of the command"},
		{"do set value=1", "must be a field of the command"},
		{"register=CC do set slba=1", "must be value here"},
		{"do bytes at=3", "needs more words"},
		{"do bytes at=3 size=9 value=1", "must be 1 to 8"},
		{"do round=3", "power of two"},
		{"do drop", "needs on="},
		{"on=flr do flip", "no action at this place"},
		{"on=flush do skip", "no action at this place"},
		{"on!=flush do never", "must be on="},
		{"on=flush do power-off at=512", "there is none"},
		{"on=power-up do cache", "needs on=power-loss"},
		{"on=power-loss do fatal", "cannot happen without power"},
		{"on=power-loss do defect=die delay=5", "cannot be, without power"},
		{"do split=0", "must be at least 1"},
		{"do pace=0", "must be at least 1"},
		{"do late=1..5 shape=round", "must have uniform, normal or tail"},
		{"do older back=0", "must be at least 1"},
		{"do bytes at=0 value=1 each=0", "must be at least 1"},
		{"do defect=ghost", "must have none, capacitor"},
		{"on=flr register=CC do skip", "a second place"},
		{"on=flr opcode=read do skip", "is not known where \"skip\" acts"},
		{"status=00/00 do skip", "is not known where \"skip\" acts"},
		{"within=5 do skip", "needs after= or since="},
		{"after=flush since=flr do skip", "only one of them"},
		{"name=a/b do skip", "must be a name"},
		{"name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa do skip", "must be a name"},
		{"register=0x1001 do drop", "must have"},
		{"do interrupt=65", "must be 0 to 64"},
		{"do skip\xff", "ASCII"},
		{"cdw0=1 cdw0=1 cdw0=1 cdw0=1 cdw0=1 cdw0=1 cdw0=1 cdw0=1 cdw0=1 do skip", "one condition too many"},
	};
	static char longest[VSSD_FAULT_TEXT];

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct pyn_error err = {0};

		CHECK_STR(canonical(wrong[i].text, &err), "");
		CHECK_HAS(err.text, wrong[i].says);
		if (wrong[i].text[0] && !strchr(wrong[i].text, '\xff'))
			CHECK_HAS(err.text, "the rule is: ");
	}
	memset(longest, 'a', sizeof(longest) - 1);
	CHECK_STR(canonical(longest, &(struct pyn_error){0}), "");
}

/* Change rules at random. What still parses must survive the round trip; sanitizers judge the rest. */
TEST(hostile_text_is_refused_or_understood)
{
	struct pyn_random random = {getenv("PYNVME_FUZZ_SEED") ? strtoull(getenv("PYNVME_FUZZ_SEED"), NULL, 0) : 1};
	const unsigned corpus = sizeof(rules) / sizeof(rules[0]);
	unsigned understood = 0;

	for (unsigned i = 0; i < 200000; i++) {
		char text[256], once[VSSD_FAULT_TEXT];
		size_t length;

		snprintf(text, sizeof(text), "%s %s", rules[pyn_random_below(&random, corpus)],
			 pyn_random_below(&random, 4) ? "" : rules[pyn_random_below(&random, corpus)]);
		length = strlen(text);
		for (uint64_t changes = pyn_random_below(&random, 4); changes > 0; changes--)
			text[pyn_random_below(&random, length)] = (char)(1 + pyn_random_below(&random, 127));
		if (pyn_random_below(&random, 3) == 0)
			text[pyn_random_below(&random, length)] = '\0';
		strcpy(once, canonical(text, &(struct pyn_error){0}));
		if (!once[0])
			continue;
		understood++;
		if (!CHECK_STR(canonical(once, &(struct pyn_error){0}), once))
			return;
	}
	CHECK(understood > 10000);
}

/* ---- matching ---- */

static uint64_t answer;

static uint64_t ask(void *drive, enum vssd_fault_subject subject)
{
	(void)drive;
	(void)subject;
	return answer;
}

static unsigned changes;

static void changed(void *drive)
{
	(void)drive;
	changes++;
}

static struct vssd_faults *planted(const char *text)
{
	struct vssd_faults *faults = vssd_faults_create((struct vssd_fault_owner){NULL, ask, changed});
	struct pyn_error err = {0};
	uint64_t first;

	CHECK_EQ(vssd_faults_plant(faults, text, &first, &err), 0);
	CHECK_STR(err.text, "");
	return faults;
}

/* How many rules fire for a Read or Write of one LBA. */
static unsigned fire(struct vssd_faults *faults, uint8_t opcode, uint64_t slba)
{
	uint32_t sqe[16] = {opcode, 1, [10] = (uint32_t)slba, [11] = (uint32_t)(slba >> 32)};
	struct vssd_fault_occasion occasion = {
		.place = VSSD_FAULT_COMMAND, .sqe = sqe, .queue = 1, .slba = slba, .lbas = 1, .bytes = 512};
	struct vssd_fault_rule *fired[VSSD_FAULTS_AT_ONCE];

	return vssd_faults_match(faults, &occasion, fired);
}

TEST(nth_every_and_count_select_matches)
{
	static const struct {
		const char *rule;
		const char *fires;
	} selections[] = {
		{"opcode=read do skip", "1111111111"},         {"opcode=read nth=3 do skip", "0010000000"},
		{"opcode=read every=3 do skip", "0010010010"}, {"opcode=read nth=2 every=4 do skip", "0100010001"},
		{"opcode=read do skip count=2", "1100000000"}, {"opcode=read every=2 do skip count=1", "0100000000"},
	};

	for (unsigned i = 0; i < sizeof(selections) / sizeof(selections[0]); i++) {
		struct vssd_faults *faults = planted(selections[i].rule);
		char fires[11] = {0};

		for (unsigned j = 0; j < 10; j++) {
			CHECK_EQ(fire(faults, 1, 0), 0);
			fires[j] = (char)('0' + fire(faults, 2, 0));
		}
		CHECK_STR(fires, selections[i].fires);
		CHECK_EQ(faults->rules[0]->matched, 10);
		vssd_faults_destroy(faults);
	}
}

TEST(chance_depends_on_the_seed_only)
{
	struct vssd_faults *one = planted("chance=0.3 seed=5 do skip"), *same = planted("chance=0.3 seed=5 do skip");
	struct vssd_faults *other = planted("chance=0.3 seed=6 do skip");
	unsigned differs = 0, fired = 0;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned a = fire(one, 2, i);

		CHECK_EQ(fire(same, 2, i), a);
		differs += fire(other, 2, i) != a;
		fired += a;
	}
	CHECK(fired > 200 && fired < 400 && differs > 100);
	vssd_faults_destroy(one);
	vssd_faults_destroy(same);
	vssd_faults_destroy(other);
}

TEST(events_and_states_are_conditions)
{
	struct vssd_faults *faults = planted("after=flr do skip\nafter!=flr do skip\nsince=flr nth=2 do skip\n"
					     "while=asleep do skip");

	CHECK_EQ(fire(faults, 2, 0), 1);
	vssd_faults_happened(faults, VSSD_FAULT_ON_FLR);
	CHECK_EQ(fire(faults, 2, 0), 1);
	CHECK_EQ(fire(faults, 2, 0), 2); /* the second since the reset */
	CHECK_EQ(fire(faults, 2, 0), 1);
	vssd_faults_happened(faults, VSSD_FAULT_ON_FLR);
	CHECK_EQ(fire(faults, 2, 0), 1);
	CHECK_EQ(fire(faults, 2, 0), 2);
	answer = 1u << VSSD_FAULT_ASLEEP;
	CHECK_EQ(fire(faults, 2, 0), 2);
	answer = 0;
	CHECK_EQ(faults->happened[VSSD_FAULT_ON_RESET].count, 2);
	vssd_faults_destroy(faults);
}

TEST(rules_can_refer_to_commands_from_any_place)
{
	struct vssd_faults *faults = planted("on=flr after=format-nvm do hang");

	CHECK(faults->places & VSSD_FAULT_NOTES);
	CHECK(faults->places & VSSD_FAULT_OF_COMMANDS);
	vssd_faults_destroy(faults);
	faults = planted("on=format-nvm do never");
	CHECK_EQ(faults->rules[0]->place, VSSD_FAULT_COMPLETION);
	CHECK_EQ(faults->index.commands[VSSD_FAULT_COMPLETION][SPEC_ADMIN][0x80].count, 1);
	CHECK_EQ(faults->index.commands[VSSD_FAULT_COMPLETION][SPEC_ADMIN][0x84].count, 0);
	CHECK(!vssd_faults_watched(faults, true, 0, 0, UINT64_MAX));
	vssd_faults_destroy(faults);
}

TEST(versions_of_a_sector_are_kept_in_order)
{
	struct vssd_fault_history *history = vssd_history_create();
	uint8_t data[VSSD_HISTORY_SECTOR];

	CHECK(!vssd_history_older(history, 7, 1));
	for (unsigned i = 1; i <= 4; i++) {
		memset(data, (int)i, sizeof(data));
		vssd_history_written(history, 7, 1, data, NULL);
		vssd_history_written(history, 8, 1, data, NULL);
	}
	for (unsigned back = 1; back <= 4; back++)
		CHECK_EQ(vssd_history_older(history, 7, back)[0], 5 - back);
	CHECK(!vssd_history_older(history, 7, 5));
	/* The writes of sector 7 have the clocks 1, 3, 5 and 7. */
	CHECK_EQ(vssd_history_at(history, 7, 0)[0], 1);
	CHECK_EQ(vssd_history_at(history, 7, 4)[0], 3);
	CHECK_EQ(vssd_history_at(history, 7, 5)[0], 4);
	CHECK(!vssd_history_at(history, 7, 7));
	/* A version that cannot be read hides those before it. */
	vssd_history_written(history, 7, 1, NULL, NULL);
	CHECK(!vssd_history_older(history, 7, 1) && !vssd_history_at(history, 7, 0));
	vssd_history_destroy(history);
}

TEST(versions_that_are_overwritten_are_unknown)
{
	struct vssd_fault_history *history = vssd_history_create();
	uint8_t data[VSSD_HISTORY_SECTOR] = {1};

	vssd_history_written(history, 7, 1, data, NULL);
	vssd_history_written(history, 7, 1, data, NULL);
	for (unsigned i = 0; i < VSSD_HISTORY_OLDER - 1; i++)
		vssd_history_written(history, 100 + i, 1, data, NULL);
	CHECK(vssd_history_older(history, 7, 1) && !vssd_history_older(history, 7, 2));
	vssd_history_written(history, 7, 1, data, NULL);
	CHECK(vssd_history_older(history, 7, 1) && !vssd_history_older(history, 7, 2));
	CHECK(!vssd_history_at(history, 7, 1));
	vssd_history_destroy(history);
}

TEST(flushes_are_found_by_time)
{
	struct vssd_fault_history *history = vssd_history_create();
	uint8_t data[VSSD_HISTORY_SECTOR] = {1};
	uint64_t start = pyn_monotonic_ns();

	vssd_history_written(history, 7, 1, data, NULL);
	vssd_history_flushed(history);
	CHECK_EQ(vssd_history_flushed_before(history, start - 1), 0);
	CHECK_EQ(vssd_history_flushed_before(history, pyn_monotonic_ns()), 1);
	vssd_history_destroy(history);
}

TEST(a_rule_can_wait_for_another)
{
	struct vssd_faults *faults = planted("after=rule:first opcode=read do skip\nname=first lba=7 do skip");

	CHECK_EQ(fire(faults, 2, 1), 0);
	CHECK_EQ(fire(faults, 1, 7), 1);
	CHECK_EQ(fire(faults, 2, 1), 1);
	vssd_faults_destroy(faults);
}

TEST(only_watched_lbas_leave_the_short_path)
{
	struct vssd_faults *faults = planted("opcode=read nsid=1 lba=10..19 do skip\n"
					     "opcode=read nsid=1 lba=15..29 do skip\n"
					     "opcode=read nsid=2 do skip\nopcode=flush do skip");

	CHECK(!vssd_faults_watched(faults, false, 0, 0, 9));
	CHECK(vssd_faults_watched(faults, false, 0, 0, 10));
	CHECK(vssd_faults_watched(faults, false, 0, 29, 40));
	CHECK(!vssd_faults_watched(faults, false, 0, 30, UINT64_MAX));
	CHECK(!vssd_faults_watched(faults, true, 0, 0, UINT64_MAX));
	CHECK(vssd_faults_watched(faults, false, 1, 1000, 1000));
	CHECK(!vssd_faults_watched(faults, false, 2, 0, UINT64_MAX));
	CHECK(vssd_faults_remove(faults, 3, NULL));
	CHECK(!vssd_faults_watched(faults, false, 1, 0, UINT64_MAX));
	vssd_faults_destroy(faults);
	faults = planted("after=write opcode=flush do skip");
	CHECK(vssd_faults_watched(faults, true, 0, 5, 5) && !vssd_faults_watched(faults, false, 0, 0, UINT64_MAX));
	vssd_faults_destroy(faults);
	faults = planted("queue=3 opcode=read do skip\nqueue=io opcode=flush do skip");
	CHECK(!vssd_faults_watched(faults, false, 0, 0, UINT64_MAX));
	CHECK(!faults->index.queues[0] && faults->index.queues[3] && !faults->index.queues[4]);
	vssd_faults_destroy(faults);
}

TEST(a_text_is_planted_as_a_whole_or_not_at_all)
{
	struct vssd_faults *faults = planted("# a comment\n\n  opcode=read do skip  # another\r\nname=b do skip\n");
	struct pyn_error err = {0};
	uint64_t first;

	CHECK_EQ(faults->num_rules, 2);
	CHECK(vssd_faults_plant(faults, "do skip\ndo nothing\n", &first, &err) < 0);
	CHECK_HAS(err.text, "\"nothing\" is no action");
	CHECK(vssd_faults_plant(faults, "name=b do skip", &first, &err) < 0);
	CHECK_HAS(err.text, "name b already");
	CHECK(vssd_faults_plant(faults, "\n# nothing\n", &first, &err) < 0);
	CHECK_EQ(faults->num_rules, 2);
	CHECK_EQ(vssd_faults_plant(faults, "do skip", &first, &err), 0);
	CHECK_EQ(first, 3);
	CHECK(vssd_faults_remove(faults, 0, "b") && !vssd_faults_remove(faults, 0, "b"));
	CHECK_EQ(faults->num_rules, 2);
	changes = 0;
	vssd_faults_clear(faults);
	CHECK_EQ(changes, 1);
	CHECK_EQ(faults->places, 0);
	vssd_faults_destroy(faults);
}

TEST(there_is_a_limit_of_rules)
{
	struct vssd_faults *faults = planted("do skip");
	struct pyn_error err = {0};
	uint64_t first;

	while (faults->num_rules < VSSD_FAULTS_MAX && vssd_faults_plant(faults, "lba=5 do skip", &first, &err) == 0)
		;
	CHECK_EQ(faults->num_rules, VSSD_FAULTS_MAX);
	CHECK(vssd_faults_plant(faults, "do skip", &first, &err) < 0);
	CHECK_HAS(err.text, "at most 1024");
	vssd_faults_destroy(faults);
}

TEST(bits_of_a_field_are_changed)
{
	struct vssd_fault_rule rule;
	uint32_t sqe[16] = {0x00120001, 1, [10] = 0xfffffff8, [11] = 5, [12] = 0xffff0007};

	CHECK_EQ(vssd_fault_parse("do add slba=16 nlb=-8 cid[3:0]=14", &rule, NULL), 0);
	for (unsigned i = 0; i < rule.num_how; i++)
		vssd_fault_field_change(sqe, &rule.how[i], true);
	CHECK_EQ(sqe[10], 8);
	CHECK_EQ(sqe[11], 6);
	CHECK_EQ(sqe[12], 0xffffffff);
	CHECK_EQ(sqe[0], 0x00100001);
	CHECK_EQ(vssd_fault_parse("do set slba[63:32]=9 fua=0 opcode=read", &rule, NULL), 0);
	for (unsigned i = 0; i < rule.num_how; i++)
		vssd_fault_field_change(sqe, &rule.how[i], false);
	CHECK_EQ(sqe[10], 8);
	CHECK_EQ(sqe[11], 9);
	CHECK_EQ(sqe[12], 0xbfffffff);
	CHECK_EQ(sqe[0], 0x00100002);
}
