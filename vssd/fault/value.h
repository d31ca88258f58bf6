/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of fault rules: each kind has a text, and parsing that text returns the value again. */
#ifndef VSSD_FAULT_VALUE_H
#define VSSD_FAULT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/commands.h"

enum vssd_fault_value {
	VSSD_FAULT_NOTHING, /* a word without a value */
	VSSD_FAULT_NUMBER,
	VSSD_FAULT_HEX,
	VSSD_FAULT_SIGNED,
	VSSD_FAULT_FLAG,        /* 0 or 1; the word alone is 1 */
	VSSD_FAULT_TIME,        /* microseconds */
	VSSD_FAULT_CHANCE,      /* billionths */
	VSSD_FAULT_STATUS_CODE, /* SCT << 8 | SC */
	VSSD_FAULT_QUEUE_ID,
	VSSD_FAULT_OPCODE_NAME, /* table << 8 | opcode; VSSD_FAULT_ANY_TABLE if only the opcode is known */
	VSSD_FAULT_MOMENT,
	VSSD_FAULT_STATE,
	VSSD_FAULT_REGISTER_NAME,
	VSSD_FAULT_EVENT_NAME,
	VSSD_FAULT_ACCESS_KIND,
	VSSD_FAULT_WRITER_KIND,
	VSSD_FAULT_CONTENT,
	VSSD_FAULT_KEPT,
	VSSD_FAULT_RESET_KIND,
	VSSD_FAULT_RING_KIND,
	VSSD_FAULT_SHAPE_NAME,
	VSSD_FAULT_DEFECT_NAME,
	VSSD_FAULT_ANA_NAME, /* enum nvme_ana_state */
	VSSD_FAULT_ZONE_NAME,
	VSSD_FAULT_SGL_NAME,
	VSSD_FAULT_SECURITY_NAME,
	VSSD_FAULT_FUNCTIONS_NAME,
	VSSD_FAULT_VALUES,
};

#define VSSD_FAULT_ANY_TABLE 0x8000u

/* VSSD_FAULT_QUEUE_ID: other values than QIDs. */
#define VSSD_FAULT_QUEUE_IO UINT64_C(0x10000)
#define VSSD_FAULT_QUEUE_OUT_OF_BAND UINT16_MAX /* no queue: a message of the Management Interface */

/* The table of the commands of a queue. */
static inline unsigned vssd_fault_table(uint64_t queue)
{
	return queue == 0 || queue == VSSD_FAULT_QUEUE_OUT_OF_BAND ? SPEC_ADMIN : SPEC_IO;
}

/* VSSD_FAULT_ACCESS_KIND */
enum vssd_fault_access { VSSD_FAULT_READ, VSSD_FAULT_WRITE };

/* VSSD_FAULT_WRITER_KIND: which queue has written the first LBA last. */
enum vssd_fault_writer { VSSD_FAULT_WRITER_NONE, VSSD_FAULT_WRITER_SAME, VSSD_FAULT_WRITER_OTHER };

/* VSSD_FAULT_CONTENT: what neighbours hold. */
enum vssd_fault_content { VSSD_FAULT_WITH_OLDER, VSSD_FAULT_WITH_ZEROES, VSSD_FAULT_WITH_DATA, VSSD_FAULT_WITH_BAD };

/* VSSD_FAULT_SHAPE_NAME: how times of a range are distributed. */
enum vssd_fault_shape { VSSD_FAULT_SHAPE_UNIFORM, VSSD_FAULT_SHAPE_NORMAL, VSSD_FAULT_SHAPE_TAIL };

/* VSSD_FAULT_ZONE_NAME: what happens to the zone of a command, and, from the third on, what is wrong with all zones
 * from then on. */
enum vssd_fault_zone {
	VSSD_FAULT_ZONE_READ_ONLY,
	VSSD_FAULT_ZONE_OFFLINE,
	VSSD_FAULT_ZONE_OPEN_LIMIT,   /* more zones can be open than MOR */
	VSSD_FAULT_ZONE_ACTIVE_LIMIT, /* more zones can be active than MAR */
	VSSD_FAULT_ZONE_VICTIM,       /* to make room, an explicitly opened zone is closed */
	VSSD_FAULT_ZONE_OLD_DATA,     /* a reset leaves the data */
	VSSD_FAULT_ZONE_LOSE_END,     /* a finish loses the last block that was written */
	VSSD_FAULT_ZONE_POINTER,      /* a loss of power leaves the write pointer half-way */
	VSSD_FAULT_ZONE_EXTENSION,    /* a reset leaves the descriptor extension valid */
	VSSD_FAULT_ZONE_GAP,          /* a write may start behind the write pointer */
	VSSD_FAULT_ZONE_CAPACITY,     /* a write may reach past the capacity */
	VSSD_FAULT_ZONE_STAY_OPEN,    /* a loss of power leaves zones open */
};

/* VSSD_FAULT_SGL_NAME: what is wrong when the drive reads the SGL of a command. Of data that it then does not find, a
 * read drops the rest, and a write stores zeros. */
enum vssd_fault_sgl {
	VSSD_FAULT_SGL_LAST_SEGMENT, /* a last segment is not read */
	VSSD_FAULT_SGL_ZERO_LENGTH,  /* a data block without data ends the list */
	VSSD_FAULT_SGL_BUCKET,       /* a bit bucket takes no data of a read */
	VSSD_FAULT_SGL_BUCKET_WRITE, /* a bit bucket describes data of a write */
	VSSD_FAULT_SGL_PAGE,         /* a segment goes on at the start of its page, once it reaches the end */
	VSSD_FAULT_SGL_ORDER,        /* the first two descriptors of a segment are exchanged */
};

/* VSSD_FAULT_SECURITY_NAME: what the security functions do wrong from now on. */
enum vssd_fault_security {
	VSSD_FAULT_SECURITY_RANGE_START,      /* a locking range begins one LBA too late */
	VSSD_FAULT_SECURITY_READS_ONLY,       /* a locked range refuses reads only */
	VSSD_FAULT_SECURITY_KEY_KEEPS,        /* GenKey leaves the data of the range */
	VSSD_FAULT_SECURITY_REVERT_KEEPS,     /* Revert leaves the data */
	VSSD_FAULT_SECURITY_REVERT_PIN,       /* Revert leaves the PIN of SID */
	VSSD_FAULT_SECURITY_TRIES,            /* wrong PINs are not counted */
	VSSD_FAULT_SECURITY_ANY_PIN,          /* the length of a PIN is compared only */
	VSSD_FAULT_SECURITY_ANY_USER,         /* an authority may do what others may */
	VSSD_FAULT_SECURITY_READ_SESSION,     /* a session without Write changes columns */
	VSSD_FAULT_SECURITY_STAYS_UNLOCKED,   /* a power cycle locks no range */
	VSSD_FAULT_SECURITY_MBR_DONE,         /* a power cycle leaves MBRDone */
	VSSD_FAULT_SECURITY_TRANSACTION,      /* an aborted transaction is not undone */
	VSSD_FAULT_SECURITY_NO_BLOCK,         /* Block SID Authentication has no effect */
	VSSD_FAULT_SECURITY_STAYS_BLOCKED,    /* resets and power cycles do not end it */
	VSSD_FAULT_SECURITY_RPMB_MAC,         /* a MAC is not compared */
	VSSD_FAULT_SECURITY_RPMB_REPLAY,      /* the counter of a write is not compared */
	VSSD_FAULT_SECURITY_RPMB_COUNTER,     /* nor does it count */
	VSSD_FAULT_SECURITY_RPMB_KEY,         /* the key can be programmed again */
	VSSD_FAULT_SECURITY_BOOT_UNLOCKED,    /* locks of boot partitions have no effect */
	VSSD_FAULT_SECURITY_BOOT_STAYS,       /* a power cycle does not lock them */
	VSSD_FAULT_SECURITY_PROTECTION_STAYS, /* protection until a power cycle outlasts it */
	VSSD_FAULT_SECURITY_PROTECTION_ENDS,  /* a power cycle ends any protection */
	VSSD_FAULT_SECURITY_LOCKDOWN_ENDS,    /* a reset ends what Lockdown has prohibited */
	VSSD_FAULT_SECURITY_LOCKDOWN_STAYS,   /* a power cycle does not */
};

/* VSSD_FAULT_FUNCTIONS_NAME: what is wrong with virtual functions from now on. */
enum vssd_fault_functions {
	VSSD_FAULT_FUNCTIONS_KEEP_RESOURCES, /* a controller that goes offline keeps its resources */
	VSSD_FAULT_FUNCTIONS_STAY_ONLINE,    /* a reset of the primary controller leaves the others online */
	VSSD_FAULT_FUNCTIONS_RESET_ALL,      /* a function level reset of one resets them all */
	VSSD_FAULT_FUNCTIONS_SHARE_EARLY,    /* a Controller Reset changes the resources of the primary controller */
	VSSD_FAULT_FUNCTIONS_FORGET_SHARE,   /* a loss of power does, too: it has none */
	VSSD_FAULT_FUNCTIONS_ALL_QUEUES,     /* they have as many queues as the primary controller */
	VSSD_FAULT_FUNCTIONS_ASSIGN_ONLINE,  /* resources can be assigned while it is online */
	VSSD_FAULT_FUNCTIONS_WORK_OFFLINE,   /* a controller that is offline can be enabled */
};

/* VSSD_FAULT_DEFECT_NAME: what a drive suffers from. */
enum vssd_fault_defect {
	VSSD_FAULT_DEFECT_NONE,      /* nothing: it is repaired */
	VSSD_FAULT_DEFECT_CAPACITOR, /* the volatile memory has no backup */
	VSSD_FAULT_DEFECT_SPARE,     /* no spare is left */
	VSSD_FAULT_DEFECT_DIE,       /* a die is offline: a quarter of the spare is gone */
	VSSD_FAULT_DEFECT_LOCKED,    /* the drive is read-only */
	VSSD_FAULT_DEFECT_HEAT,      /* it is at the critical temperature */
	VSSD_FAULT_DEFECT_THROTTLE,  /* it throttles at any temperature */
	VSSD_FAULT_DEFECT_COOL,      /* none of the two before */
};

/* VSSD_FAULT_KEPT: what a reset forgets to reset, one bit each. */
#define VSSD_FAULT_KEEPS_QUEUES 1u
#define VSSD_FAULT_KEEPS_FEATURES 2u
#define VSSD_FAULT_KEEPS_EVENTS 4u
#define VSSD_FAULT_KEEPS_REGISTERS 8u
#define VSSD_FAULT_KEEPS_CONFIG 16u

/* Parse a text of this kind into a … b. False: it is no value of this kind. Ranges are A..B; only kinds of numbers
 * have them. */
bool vssd_fault_value_parse(enum vssd_fault_value kind, const char *text, uint64_t *a, uint64_t *b);

/* Write the text of a value to text, which has room for VSSD_FAULT_VALUE_TEXT bytes. */
#define VSSD_FAULT_VALUE_TEXT 64u
void vssd_fault_value_print(enum vssd_fault_value kind, uint64_t a, uint64_t b, char *text);

/* Describe the values of a kind, such as "a number" or "read or write", for messages and for help. The text is in
 * static memory until the next call. */
const char *vssd_fault_value_help(enum vssd_fault_value kind);

/* Whether a value of this kind may be a range, and whether single bits of it can be selected. */
bool vssd_fault_value_is_number(enum vssd_fault_value kind);

/* The name of an opcode in a rule: that of the specification in lower case with hyphens. False: it has none. */
bool vssd_fault_opcode_name(unsigned table, uint8_t opcode, char text[VSSD_FAULT_VALUE_TEXT]);

#endif
