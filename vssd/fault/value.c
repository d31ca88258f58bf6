/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/fault/value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/commands.h"
#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"
#include "vssd/fault/rule.h"

#define DECIMAL_BELOW 10000u /* larger numbers of VSSD_FAULT_HEX are printed in hexadecimal */
#define BILLION 1000000000u
#define MOST_US UINT64_C(1000000000000000)

struct choice {
	const char *name;
	uint64_t value;
};

static const struct choice moments[] = {
	{"enable", VSSD_FAULT_ON_ENABLE},     {"disable", VSSD_FAULT_ON_DISABLE},
	{"flr", VSSD_FAULT_ON_FLR},           {"hot-reset", VSSD_FAULT_ON_HOT_RESET},
	{"nssr", VSSD_FAULT_ON_NSSR},         {"reset", VSSD_FAULT_ON_RESET},
	{"shutdown", VSSD_FAULT_ON_SHUTDOWN}, {"abrupt-shutdown", VSSD_FAULT_ON_ABRUPT_SHUTDOWN},
	{"power-up", VSSD_FAULT_ON_POWER_UP}, {"power-loss", VSSD_FAULT_ON_POWER_LOSS},
	{"doorbell", VSSD_FAULT_ON_DOORBELL}, {"interrupt", VSSD_FAULT_ON_INTERRUPT},
	{"event", VSSD_FAULT_ON_EVENT},       {NULL, 0},
};

static const struct choice states[] = {
	{"sanitizing", VSSD_FAULT_SANITIZING},
	{"formatting", VSSD_FAULT_FORMATTING},
	{"asleep", VSSD_FAULT_ASLEEP},
	{"hmb", VSSD_FAULT_HMB},
	{"write-through", VSSD_FAULT_WRITE_THROUGH},
	{"throttling", VSSD_FAULT_THROTTLING},
	{"read-only", VSSD_FAULT_READ_ONLY},
	{NULL, 0},
};

static const struct choice registers[] = {
	{"CAP", NVME_REG_CAP}, {"VS", NVME_REG_VS},     {"INTMS", NVME_REG_INTMS}, {"INTMC", NVME_REG_INTMC},
	{"CC", NVME_REG_CC},   {"CSTS", NVME_REG_CSTS}, {"NSSR", NVME_REG_NSSR},   {"AQA", NVME_REG_AQA},
	{"ASQ", NVME_REG_ASQ}, {"ACQ", NVME_REG_ACQ},   {"CRTO", NVME_REG_CRTO},   {NULL, 0},
};

/* In the order of enum vssd_event. */
static const struct choice events[] = {
	{"doorbell-register", 0},
	{"doorbell-value", 1},
	{"reliability", 2},
	{"temperature", 3},
	{"spare", 4},
	{"ns-changed", 5},
	{"sanitized", 6},
	{"firmware", 7},
	{"telemetry", 8},
	{"zone-changed", 9},
	{"reservation", 10},
	{"ana-changed", 11},
	{"lba-status", 12},
	{"media-verification", 13},
	{"endurance-group", 14},
	{"power-threshold", 15},
	{"data-queue-tail", 16},
	{"data-queue-full", 17},
	{NULL, 0},
};

static const struct choice accesses[] = {{"read", VSSD_FAULT_READ}, {"write", VSSD_FAULT_WRITE}, {NULL, 0}};

static const struct choice writers[] = {
	{"none", VSSD_FAULT_WRITER_NONE},
	{"same", VSSD_FAULT_WRITER_SAME},
	{"other", VSSD_FAULT_WRITER_OTHER},
	{NULL, 0},
};

static const struct choice contents[] = {
	{"older", VSSD_FAULT_WITH_OLDER},
	{"zeroes", VSSD_FAULT_WITH_ZEROES},
	{"data", VSSD_FAULT_WITH_DATA},
	{"bad", VSSD_FAULT_WITH_BAD},
	{NULL, 0},
};

static const struct choice kept[] = {
	{"queues", VSSD_FAULT_KEEPS_QUEUES}, {"features", VSSD_FAULT_KEEPS_FEATURES},
	{"events", VSSD_FAULT_KEEPS_EVENTS}, {"registers", VSSD_FAULT_KEEPS_REGISTERS},
	{"config", VSSD_FAULT_KEEPS_CONFIG}, {NULL, 0},
};

/* In the order of enum vssd_reset. */
static const struct choice resets[] = {
	{"controller", 0}, {"function", 1}, {"conventional", 2}, {"subsystem", 3}, {NULL, 0},
};

static const struct choice shapes[] = {
	{"uniform", VSSD_FAULT_SHAPE_UNIFORM},
	{"normal", VSSD_FAULT_SHAPE_NORMAL},
	{"tail", VSSD_FAULT_SHAPE_TAIL},
	{NULL, 0},
};

static const struct choice defects[] = {
	{"none", VSSD_FAULT_DEFECT_NONE},
	{"capacitor", VSSD_FAULT_DEFECT_CAPACITOR},
	{"spare", VSSD_FAULT_DEFECT_SPARE},
	{"die", VSSD_FAULT_DEFECT_DIE},
	{"read-only", VSSD_FAULT_DEFECT_LOCKED},
	{"heat", VSSD_FAULT_DEFECT_HEAT},
	{"throttle", VSSD_FAULT_DEFECT_THROTTLE},
	{"cool", VSSD_FAULT_DEFECT_COOL},
	{NULL, 0},
};

static const struct choice ana_states[] = {
	{"optimized", NVME_ANA_OPTIMIZED},
	{"non-optimized", NVME_ANA_NON_OPTIMIZED},
	{"inaccessible", NVME_ANA_INACCESSIBLE},
	{"persistent-loss", NVME_ANA_PERSISTENT_LOSS},
	{"change", NVME_ANA_CHANGE},
	{NULL, 0},
};

static const struct choice zones[] = {
	{"read-only", VSSD_FAULT_ZONE_READ_ONLY},
	{"offline", VSSD_FAULT_ZONE_OFFLINE},
	{"open-limit", VSSD_FAULT_ZONE_OPEN_LIMIT},
	{"active-limit", VSSD_FAULT_ZONE_ACTIVE_LIMIT},
	{"victim", VSSD_FAULT_ZONE_VICTIM},
	{"old-data", VSSD_FAULT_ZONE_OLD_DATA},
	{"lose-end", VSSD_FAULT_ZONE_LOSE_END},
	{"pointer", VSSD_FAULT_ZONE_POINTER},
	{"extension", VSSD_FAULT_ZONE_EXTENSION},
	{"gap", VSSD_FAULT_ZONE_GAP},
	{"capacity", VSSD_FAULT_ZONE_CAPACITY},
	{"stay-open", VSSD_FAULT_ZONE_STAY_OPEN},
	{NULL, 0},
};

static const struct choice sgls[] = {
	{"last-segment", VSSD_FAULT_SGL_LAST_SEGMENT},
	{"zero-length", VSSD_FAULT_SGL_ZERO_LENGTH},
	{"bucket", VSSD_FAULT_SGL_BUCKET},
	{"bucket-write", VSSD_FAULT_SGL_BUCKET_WRITE},
	{"page", VSSD_FAULT_SGL_PAGE},
	{"order", VSSD_FAULT_SGL_ORDER},
	{NULL, 0},
};

static const struct choice mistakes[] = {
	{"range-start", VSSD_FAULT_SECURITY_RANGE_START},
	{"reads-only", VSSD_FAULT_SECURITY_READS_ONLY},
	{"key-keeps", VSSD_FAULT_SECURITY_KEY_KEEPS},
	{"revert-keeps", VSSD_FAULT_SECURITY_REVERT_KEEPS},
	{"revert-pin", VSSD_FAULT_SECURITY_REVERT_PIN},
	{"tries", VSSD_FAULT_SECURITY_TRIES},
	{"any-pin", VSSD_FAULT_SECURITY_ANY_PIN},
	{"any-user", VSSD_FAULT_SECURITY_ANY_USER},
	{"read-session", VSSD_FAULT_SECURITY_READ_SESSION},
	{"stays-unlocked", VSSD_FAULT_SECURITY_STAYS_UNLOCKED},
	{"mbr-done", VSSD_FAULT_SECURITY_MBR_DONE},
	{"transaction", VSSD_FAULT_SECURITY_TRANSACTION},
	{"no-block", VSSD_FAULT_SECURITY_NO_BLOCK},
	{"stays-blocked", VSSD_FAULT_SECURITY_STAYS_BLOCKED},
	{"rpmb-mac", VSSD_FAULT_SECURITY_RPMB_MAC},
	{"rpmb-replay", VSSD_FAULT_SECURITY_RPMB_REPLAY},
	{"rpmb-counter", VSSD_FAULT_SECURITY_RPMB_COUNTER},
	{"rpmb-key", VSSD_FAULT_SECURITY_RPMB_KEY},
	{"boot-unlocked", VSSD_FAULT_SECURITY_BOOT_UNLOCKED},
	{"boot-stays", VSSD_FAULT_SECURITY_BOOT_STAYS},
	{"protection-stays", VSSD_FAULT_SECURITY_PROTECTION_STAYS},
	{"protection-ends", VSSD_FAULT_SECURITY_PROTECTION_ENDS},
	{"lockdown-ends", VSSD_FAULT_SECURITY_LOCKDOWN_ENDS},
	{"lockdown-stays", VSSD_FAULT_SECURITY_LOCKDOWN_STAYS},
	{NULL, 0},
};

static const struct choice functions[] = {
	{"keep-resources", VSSD_FAULT_FUNCTIONS_KEEP_RESOURCES},
	{"stay-online", VSSD_FAULT_FUNCTIONS_STAY_ONLINE},
	{"reset-all", VSSD_FAULT_FUNCTIONS_RESET_ALL},
	{"share-early", VSSD_FAULT_FUNCTIONS_SHARE_EARLY},
	{"forget-share", VSSD_FAULT_FUNCTIONS_FORGET_SHARE},
	{"all-queues", VSSD_FAULT_FUNCTIONS_ALL_QUEUES},
	{"assign-online", VSSD_FAULT_FUNCTIONS_ASSIGN_ONLINE},
	{"work-offline", VSSD_FAULT_FUNCTIONS_WORK_OFFLINE},
	{NULL, 0},
};

static const struct choice rings[] = {{"sq", 0}, {"cq", 1}, {NULL, 0}};

static const struct choice *const choices[VSSD_FAULT_VALUES] = {
	[VSSD_FAULT_RING_KIND] = rings,
	[VSSD_FAULT_MOMENT] = moments,
	[VSSD_FAULT_STATE] = states,
	[VSSD_FAULT_REGISTER_NAME] = registers,
	[VSSD_FAULT_EVENT_NAME] = events,
	[VSSD_FAULT_ACCESS_KIND] = accesses,
	[VSSD_FAULT_WRITER_KIND] = writers,
	[VSSD_FAULT_CONTENT] = contents,
	[VSSD_FAULT_KEPT] = kept,
	[VSSD_FAULT_RESET_KIND] = resets,
	[VSSD_FAULT_SHAPE_NAME] = shapes,
	[VSSD_FAULT_DEFECT_NAME] = defects,
	[VSSD_FAULT_ZONE_NAME] = zones,
	[VSSD_FAULT_SGL_NAME] = sgls,
	[VSSD_FAULT_SECURITY_NAME] = mistakes,
	[VSSD_FAULT_FUNCTIONS_NAME] = functions,
	[VSSD_FAULT_ANA_NAME] = ana_states,
};

/* ---- names of opcodes ---- */

static const struct {
	const char *name;
	unsigned table;
	uint8_t opcode;
} aliases[] = {
	{"dsm", SPEC_IO, 0x09},          {"trim", SPEC_IO, 0x09},         {"aer", SPEC_ADMIN, 0x0c},
	{"format", SPEC_ADMIN, 0x80},    {"self-test", SPEC_ADMIN, 0x14}, {"get-log", SPEC_ADMIN, 0x02},
	{"create-sq", SPEC_ADMIN, 0x01}, {"delete-sq", SPEC_ADMIN, 0x00}, {"create-cq", SPEC_ADMIN, 0x05},
	{"delete-cq", SPEC_ADMIN, 0x04},
};

bool vssd_fault_opcode_name(unsigned table, uint8_t opcode, char text[VSSD_FAULT_VALUE_TEXT])
{
	const char *title = table <= SPEC_IO ? spec_commands[table][opcode].title : NULL;
	unsigned length = 0;

	for (; title && *title && length < VSSD_FAULT_VALUE_TEXT - 1; title++) {
		if (*title == '/')
			continue;
		text[length++] = *title == ' ' ? '-' : (char)tolower((unsigned char)*title);
	}
	text[length] = '\0';
	return length > 0;
}

static bool parse_opcode(const char *text, uint64_t *value)
{
	char name[VSSD_FAULT_VALUE_TEXT];

	for (unsigned i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(aliases[i].name, text) == 0) {
			*value = aliases[i].table << 8 | aliases[i].opcode;
			return true;
		}
	for (unsigned table = SPEC_ADMIN; table <= SPEC_IO; table++)
		for (unsigned opcode = 0; opcode < 256; opcode++)
			if (vssd_fault_opcode_name(table, (uint8_t)opcode, name) && strcmp(name, text) == 0) {
				*value = table << 8 | opcode;
				return true;
			}
	return false;
}

static void print_opcode(uint64_t value, char *text)
{
	if (value & VSSD_FAULT_ANY_TABLE || !vssd_fault_opcode_name((unsigned)value >> 8, (uint8_t)value, text))
		snprintf(text, VSSD_FAULT_VALUE_TEXT, "0x%02x", (unsigned)value & 0xff);
}

/* ---- numbers ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Parse length digits, all of them. */
static bool parse_digits(const char *text, size_t length, unsigned base, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)digit_of(text[i]);

		if (digit >= base || __builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return false;
	}
	return length > 0;
}

/* Parse "10", "0x10", "10h" or "4K". */
static bool parse_number(const char *text, size_t length, uint64_t *value)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;

	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return parse_digits(text + 2, length - 2, 16, value);
	if (length > 1 && (text[length - 1] == 'h' || text[length - 1] == 'H'))
		return parse_digits(text, length - 1, 16, value);
	if (length == 0)
		return false;
	suffix = memchr(suffixes, text[length - 1], sizeof(suffixes) - 1);
	if (!suffix)
		return parse_digits(text, length, 10, value);
	return parse_digits(text, length - 1, 10, value) &&
	       !__builtin_mul_overflow(*value, UINT64_C(1024) << (10 * (suffix - suffixes)), value);
}

/* Parse "5" (ms), "500us", "5ms" or "2s" to microseconds. */
static bool parse_time(const char *text, size_t length, uint64_t *value)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}};
	uint64_t unit = 1000;

	for (unsigned i = 0; i < 3; i++) {
		size_t suffix = strlen(units[i].name);

		if (length > suffix && memcmp(text + length - suffix, units[i].name, suffix) == 0) {
			unit = units[i].us;
			length -= suffix;
			break;
		}
	}
	return parse_digits(text, length, 10, value) && !__builtin_mul_overflow(*value, unit, value) &&
	       *value <= MOST_US;
}

static void print_time(uint64_t us, char *text, size_t room)
{
	if (us % 1000)
		snprintf(text, room, "%" PRIu64 "us", us);
	else
		snprintf(text, room, "%" PRIu64, us / 1000);
}

/* Parse "0.001" or "1" to billionths: more than 0, at most 1. */
static bool parse_chance(const char *text, uint64_t *value)
{
	const char *point = strchr(text, '.');
	size_t whole = point ? (size_t)(point - text) : strlen(text);
	uint64_t unit = BILLION / 10;

	if (!parse_digits(text, whole, 10, value) || *value > 1)
		return false;
	*value *= BILLION;
	for (const char *c = point ? point + 1 : ""; *c; c++, unit /= 10) {
		if (*c < '0' || *c > '9' || unit == 0)
			return false;
		*value += (uint64_t)(*c - '0') * unit;
	}
	return *value > 0 && *value <= BILLION && (!point || point[1]);
}

static void print_chance(uint64_t value, char *text)
{
	int length =
		snprintf(text, VSSD_FAULT_VALUE_TEXT, "%" PRIu64 ".%09" PRIu64, value / BILLION, value % BILLION);

	while (text[length - 1] == '0')
		text[--length] = '\0';
	if (text[length - 1] == '.')
		text[length - 1] = '\0';
}

/* Parse "SCT/SC", both hexadecimal. */
static bool parse_status(const char *text, uint64_t *value)
{
	const char *slash = strchr(text, '/');
	uint64_t sct, sc;

	if (!slash || !parse_digits(text, (size_t)(slash - text), 16, &sct) ||
	    !parse_digits(slash + 1, strlen(slash + 1), 16, &sc) || sct > 7 || sc > 0xff)
		return false;
	*value = sct << 8 | sc;
	return true;
}

static bool parse_queue(const char *text, uint64_t *a, uint64_t *b)
{
	if (strcmp(text, "admin") == 0)
		*a = *b = 0;
	else if (strcmp(text, "io") == 0)
		*a = 1, *b = VSSD_FAULT_QUEUE_IO;
	else if (strcmp(text, "out-of-band") == 0)
		*a = *b = VSSD_FAULT_QUEUE_OUT_OF_BAND;
	else
		return parse_number(text, strlen(text), a) && *a <= UINT16_MAX && (*b = *a, true);
	return true;
}

static bool parse_choice(const struct choice *choice, const char *text, uint64_t *value)
{
	for (; choice->name; choice++)
		if (strcmp(choice->name, text) == 0) {
			*value = choice->value;
			return true;
		}
	return false;
}

static const char *choice_name(const struct choice *choice, uint64_t value)
{
	for (; choice->name; choice++)
		if (choice->value == value)
			return choice->name;
	return NULL;
}

/* ---- any kind ---- */

static bool parse_one(enum vssd_fault_value kind, const char *text, size_t length, uint64_t *value)
{
	if (kind == VSSD_FAULT_TIME)
		return parse_time(text, length, value);
	if (kind == VSSD_FAULT_SIGNED && length > 1 && text[0] == '-') {
		bool good = parse_number(text + 1, length - 1, value) && *value <= INT64_MAX;

		*value = 0 - *value;
		return good;
	}
	return parse_number(text, length, value);
}

static bool parse_range(enum vssd_fault_value kind, const char *text, uint64_t *a, uint64_t *b)
{
	const char *dots = kind == VSSD_FAULT_SIGNED ? NULL : strstr(text, "..");

	if (!dots) {
		if (!parse_one(kind, text, strlen(text), a))
			return false;
		*b = *a;
		return true;
	}
	return parse_one(kind, text, (size_t)(dots - text), a) && parse_one(kind, dots + 2, strlen(dots + 2), b) &&
	       *a <= *b;
}

bool vssd_fault_value_parse(enum vssd_fault_value kind, const char *text, uint64_t *a, uint64_t *b)
{
	bool good;

	switch (kind) {
	case VSSD_FAULT_NOTHING:
		return false;
	case VSSD_FAULT_NUMBER:
	case VSSD_FAULT_HEX:
	case VSSD_FAULT_SIGNED:
	case VSSD_FAULT_TIME:
		return parse_range(kind, text, a, b);
	case VSSD_FAULT_QUEUE_ID:
		return parse_queue(text, a, b);
	case VSSD_FAULT_FLAG:
		good = parse_number(text, strlen(text), a) && *a <= 1;
		break;
	case VSSD_FAULT_CHANCE:
		good = parse_chance(text, a);
		break;
	case VSSD_FAULT_STATUS_CODE:
		good = parse_status(text, a);
		break;
	case VSSD_FAULT_OPCODE_NAME:
		good = parse_opcode(text, a);
		if (!good) {
			good = parse_number(text, strlen(text), a) && *a <= UINT8_MAX;
			*a |= VSSD_FAULT_ANY_TABLE;
		}
		break;
	case VSSD_FAULT_MOMENT:
		good = parse_choice(moments, text, a);
		if (!good) {
			good = parse_opcode(text, a);
			*a += VSSD_FAULT_ON_OPCODE;
		}
		break;
	case VSSD_FAULT_REGISTER_NAME:
		good = parse_choice(registers, text, a) ||
		       (parse_number(text, strlen(text), a) && *a < 4096 && *a % 4 == 0);
		break;
	default:
		good = parse_choice(choices[kind], text, a);
		break;
	}
	*b = *a;
	return good;
}

static void print_number(enum vssd_fault_value kind, uint64_t value, char *text, size_t room)
{
	if (kind == VSSD_FAULT_TIME)
		print_time(value, text, room);
	else if (kind == VSSD_FAULT_SIGNED && value > INT64_MAX)
		snprintf(text, room, "-%" PRIu64, 0 - value);
	else if (kind == VSSD_FAULT_HEX && value >= DECIMAL_BELOW)
		snprintf(text, room, "0x%" PRIx64, value);
	else
		snprintf(text, room, "%" PRIu64, value);
}

void vssd_fault_value_print(enum vssd_fault_value kind, uint64_t a, uint64_t b, char *text)
{
	const size_t room = VSSD_FAULT_VALUE_TEXT;
	const char *name = NULL;

	text[0] = '\0';
	switch (kind) {
	case VSSD_FAULT_NOTHING:
		return;
	case VSSD_FAULT_NUMBER:
	case VSSD_FAULT_HEX:
	case VSSD_FAULT_SIGNED:
	case VSSD_FAULT_TIME:
	case VSSD_FAULT_FLAG:
		print_number(kind, a, text, room);
		if (a != b) {
			size_t length = strlen(text);

			snprintf(text + length, room - length, "..");
			print_number(kind, b, text + length + 2, room - length - 2);
		}
		return;
	case VSSD_FAULT_CHANCE:
		print_chance(a, text);
		return;
	case VSSD_FAULT_STATUS_CODE:
		snprintf(text, room, "%02x/%02x", (unsigned)(a >> 8), (unsigned)(a & 0xff));
		return;
	case VSSD_FAULT_QUEUE_ID:
		if (a != b)
			snprintf(text, room, "io");
		else if (a == 0)
			snprintf(text, room, "admin");
		else if (a == VSSD_FAULT_QUEUE_OUT_OF_BAND)
			snprintf(text, room, "out-of-band");
		else
			snprintf(text, room, "%" PRIu64, a);
		return;
	case VSSD_FAULT_OPCODE_NAME:
		print_opcode(a, text);
		return;
	case VSSD_FAULT_MOMENT:
		if (a >= VSSD_FAULT_ON_OPCODE) {
			print_opcode(a - VSSD_FAULT_ON_OPCODE, text);
			return;
		}
		/* fallthrough */
	default:
		name = choice_name(choices[kind], a);
		break;
	}
	if (name)
		snprintf(text, room, "%s", name);
	else
		snprintf(text, room, "0x%" PRIx64, a);
}

bool vssd_fault_value_is_number(enum vssd_fault_value kind)
{
	return kind == VSSD_FAULT_NUMBER || kind == VSSD_FAULT_HEX || kind == VSSD_FAULT_TIME;
}

const char *vssd_fault_value_help(enum vssd_fault_value kind)
{
	static const char *const texts[VSSD_FAULT_VALUES] = {
		[VSSD_FAULT_NOTHING] = "no value",
		[VSSD_FAULT_NUMBER] = "a number or a range A..B",
		[VSSD_FAULT_HEX] = "a number or a range A..B",
		[VSSD_FAULT_SIGNED] = "a number, which may be negative",
		[VSSD_FAULT_FLAG] = "0 or 1, or no value, which is 1",
		[VSSD_FAULT_TIME] = "milliseconds (or 500us, 2s), or a range A..B",
		[VSSD_FAULT_CHANCE] = "a probability above 0 up to 1, such as 0.01",
		[VSSD_FAULT_STATUS_CODE] = "SCT/SC in hexadecimal, such as 00/81",
		[VSSD_FAULT_QUEUE_ID] = "a QID, admin, io, or out-of-band",
		[VSSD_FAULT_OPCODE_NAME] = "a command's name, such as write-zeroes, or its number",
	};
	static char text[512];
	size_t length = 0;

	if (texts[kind])
		return texts[kind];
	for (const struct choice *choice = choices[kind]; choice->name && length < sizeof(text); choice++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
					   choice == choices[kind] ? ""
					   : choice[1].name        ? ", "
								   : " or ",
					   choice->name);
	if (kind == VSSD_FAULT_MOMENT && length < sizeof(text))
		snprintf(text + length, sizeof(text) - length, ", the name of a command, or rule:NAME");
	return text;
}
