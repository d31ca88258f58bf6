/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/fault/words.h"

#define AT(place) VSSD_FAULT_AT(VSSD_FAULT_##place)
#define KEY(key) (UINT64_C(1) << VSSD_FAULT_KEY_##key)

#define COMMANDS (AT(COMMAND) | AT(DATA) | AT(COMPLETION))
#define REGISTERS (AT(REGISTER) | AT(CONFIG))
#define EVERYWHERE ((1u << VSSD_FAULT_PLACES) - 1)

const struct vssd_fault_subject_word vssd_fault_subjects[VSSD_FAULT_SUBJECTS] = {
	[VSSD_FAULT_FIELD] = {NULL, VSSD_FAULT_NOTHING, COMMANDS, NULL},
	[VSSD_FAULT_QUEUE] = {"queue", VSSD_FAULT_QUEUE_ID, COMMANDS | AT(DOORBELL) | AT(INTERRUPT),
			      "the queue of the command, doorbell or interrupt; out-of-band: the command comes in a "
			      "message of the Management Interface (only rules that say so match such commands)"},
	[VSSD_FAULT_OPCODE] = {"opcode", VSSD_FAULT_OPCODE_NAME, COMMANDS, "the command"},
	[VSSD_FAULT_LBA] = {"lba", VSSD_FAULT_HEX, COMMANDS,
			    "the LBAs of the command overlap this range; data actions change these LBAs only"},
	[VSSD_FAULT_LOG] = {"log", VSSD_FAULT_HEX, COMMANDS, "Get Log Page of this log page"},
	[VSSD_FAULT_FEATURE] = {"feature", VSSD_FAULT_HEX, COMMANDS, "Get Features or Set Features of this feature"},
	[VSSD_FAULT_CNS] = {"cns", VSSD_FAULT_HEX, COMMANDS, "Identify with this CNS"},
	[VSSD_FAULT_BYTES] = {"bytes", VSSD_FAULT_NUMBER, COMMANDS, "how much the command transfers"},
	[VSSD_FAULT_STATUS] = {"status", VSSD_FAULT_STATUS_CODE, AT(COMPLETION),
			       "the status with which the command has ended"},
	[VSSD_FAULT_WRITES] = {"writes", VSSD_FAULT_NUMBER, COMMANDS,
			       "how often the first LBA was written since the rule was planted, up to 250"},
	[VSSD_FAULT_WRITER] = {"writer", VSSD_FAULT_WRITER_KIND, COMMANDS,
			       "which queue wrote the first LBA last, since the rule was planted"},
	[VSSD_FAULT_ON] = {"on", VSSD_FAULT_MOMENT, (EVERYWHERE & ~COMMANDS & ~REGISTERS) | AT(COMPLETION),
			   "this happens; a command: it has succeeded, and is about to complete"},
	[VSSD_FAULT_REGISTER_IS] = {"register", VSSD_FAULT_REGISTER_NAME, AT(REGISTER),
				    "an access of this register, or of this offset"},
	[VSSD_FAULT_CONFIG_IS] = {"config", VSSD_FAULT_HEX, AT(CONFIG),
				  "an access of the dword of configuration space with this byte"},
	[VSSD_FAULT_ACCESS] = {"access", VSSD_FAULT_ACCESS_KIND, REGISTERS, "the kind of access"},
	[VSSD_FAULT_VALUE_IS] = {"value", VSSD_FAULT_HEX, REGISTERS | AT(DOORBELL),
				 "the value that is read or written"},
	[VSSD_FAULT_RING] = {"ring", VSSD_FAULT_RING_KIND, AT(DOORBELL),
			     "the doorbell of the submission or of the completion queue"},
	[VSSD_FAULT_VECTOR] = {"vector", VSSD_FAULT_NUMBER, AT(INTERRUPT), "the vector of the interrupt"},
	[VSSD_FAULT_MASKED] = {"masked", VSSD_FAULT_FLAG, AT(INTERRUPT), "the MSI-X vector is masked"},
	[VSSD_FAULT_EVENT_IS] = {"event", VSSD_FAULT_EVENT_NAME, AT(EVENT), "the asynchronous event"},
	[VSSD_FAULT_AFTER] =
		{"after", VSSD_FAULT_MOMENT, EVERYWHERE,
		 "this has happened since the rule was planted (a command: it has succeeded); !=: it has "
		 "not"},
	[VSSD_FAULT_SINCE] = {"since", VSSD_FAULT_MOMENT, EVERYWHERE,
			      "as after, and nth and every count again from the last time that it happened"},
	[VSSD_FAULT_WITHIN] = {"within", VSSD_FAULT_TIME, EVERYWHERE,
			       "at most this long after what after or since names"},
	[VSSD_FAULT_BEYOND] = {"beyond", VSSD_FAULT_TIME, EVERYWHERE,
			       "at least this long after what after or since names"},
	[VSSD_FAULT_WHILE] = {"while", VSSD_FAULT_STATE, EVERYWHERE, "the state of the drive; !=: it is not so"},
	[VSSD_FAULT_CONTROLLER] = {"controller", VSSD_FAULT_NUMBER, EVERYWHERE & ~AT(POWER),
				   "CNTLID of the controller at which it happens"},
	[VSSD_FAULT_UNFLUSHED] = {"unflushed", VSSD_FAULT_NUMBER, EVERYWHERE,
				  "blocks of 4 KiB in the volatile cache that no flush has made durable"},
	[VSSD_FAULT_TEMPERATURE] = {"temperature", VSSD_FAULT_NUMBER, EVERYWHERE, "composite temperature in Kelvin"},
	[VSSD_FAULT_POWER_UPS] = {"power-ups", VSSD_FAULT_NUMBER, EVERYWHERE,
				  "how often the drive was powered up since the process started, from 1 on"},
	[VSSD_FAULT_AGE] = {"age", VSSD_FAULT_NUMBER, EVERYWHERE, "power-on hours"},
	[VSSD_FAULT_WRITTEN] = {"written", VSSD_FAULT_NUMBER, EVERYWHERE,
				"bytes that hosts have written in the life of the drive"},
};

const struct vssd_fault_key_word vssd_fault_keys[VSSD_FAULT_KEYS] = {
	[VSSD_FAULT_KEY_FIELD] = {NULL, VSSD_FAULT_NOTHING, NULL},
	[VSSD_FAULT_KEY_DNR] = {"dnr", VSSD_FAULT_FLAG, "Do Not Retry; without it, the drive's own rule decides"},
	[VSSD_FAULT_KEY_CRD] = {"crd", VSSD_FAULT_NUMBER, "Command Retry Delay, 0 to 3"},
	[VSSD_FAULT_KEY_RESULT] = {"result", VSSD_FAULT_HEX, "dwords 0 and 1 of the completion"},
	[VSSD_FAULT_KEY_BYTE] = {"byte", VSSD_FAULT_NUMBER, "offset in bytes"},
	[VSSD_FAULT_KEY_BIT] = {"bit", VSSD_FAULT_NUMBER, "bit of that byte, 0 to 7"},
	[VSSD_FAULT_KEY_AT] = {"at", VSSD_FAULT_NUMBER, "offset in bytes"},
	[VSSD_FAULT_KEY_SIZE] = {"size", VSSD_FAULT_NUMBER, "length in bytes"},
	[VSSD_FAULT_KEY_VALUE] = {"value", VSSD_FAULT_HEX, "the little-endian value that the bytes get"},
	[VSSD_FAULT_KEY_ADD] = {"add", VSSD_FAULT_SIGNED, "add this to their value"},
	[VSSD_FAULT_KEY_AND] = {"and", VSSD_FAULT_HEX, "keep only these bits of their value"},
	[VSSD_FAULT_KEY_OR] = {"or", VSSD_FAULT_HEX, "set these bits of their value"},
	[VSSD_FAULT_KEY_XOR] = {"xor", VSSD_FAULT_HEX, "invert these bits of their value"},
	[VSSD_FAULT_KEY_FREEZE] = {"freeze", VSSD_FAULT_FLAG, "they stay as they were when the rule fired first"},
	[VSSD_FAULT_KEY_WITH] = {"with", VSSD_FAULT_CONTENT, "what the others then hold"},
	[VSSD_FAULT_KEY_FROM] = {"from", VSSD_FAULT_NUMBER, "offset in bytes of the other piece"},
	[VSSD_FAULT_KEY_INWARD] = {"inward", VSSD_FAULT_FLAG, "round to fewer LBAs instead of more"},
	[VSSD_FAULT_KEY_KEEP] = {"keep", VSSD_FAULT_FLAG, "execute the command even after a reset"},
	[VSSD_FAULT_KEY_YIELD] = {"yield", VSSD_FAULT_FLAG, "leave out LBAs that were written meanwhile"},
	[VSSD_FAULT_KEY_DELAY] = {"delay", VSSD_FAULT_TIME, "how much later, or a range to choose from"},
	[VSSD_FAULT_KEY_OFF] = {"off", VSSD_FAULT_TIME, "for how long"},
	[VSSD_FAULT_KEY_CHANCE] = {"chance", VSSD_FAULT_CHANCE, "the probability for each LBA"},
	[VSSD_FAULT_KEY_SEED] = {"seed", VSSD_FAULT_NUMBER, "of the random numbers"},
	[VSSD_FAULT_KEY_TORN] = {"torn", VSSD_FAULT_NUMBER, "how many bytes of each lost LBA are new nevertheless"},
	[VSSD_FAULT_KEY_PAIR] = {"pair", VSSD_FAULT_NUMBER,
				 "each lost LBA also damages the durable LBA at this distance"},
	[VSSD_FAULT_KEY_REVERSE] = {"reverse", VSSD_FAULT_FLAG, "the other part instead"},
	[VSSD_FAULT_KEY_FLUSHED] = {"flushed", VSSD_FAULT_TIME, "what was flushed within this time is lost as well"},
	[VSSD_FAULT_KEY_VERSIONS] = {"versions", VSSD_FAULT_FLAG,
				     "a lost LBA has any version that it had since it was durable"},
	[VSSD_FAULT_KEY_GAP] = {"gap", VSSD_FAULT_TIME, "the time between two pieces, or a range to choose from"},
	[VSSD_FAULT_KEY_BACK] = {"back", VSSD_FAULT_NUMBER, "how many writes ago; 1 without it"},
	[VSSD_FAULT_KEY_SHAPE] =
		{"shape", VSSD_FAULT_SHAPE_NAME,
		 "how times of a range are distributed; tail: most near its start, few near its end"},
	[VSSD_FAULT_KEY_BURST] = {"burst", VSSD_FAULT_NUMBER, "so many bytes are fast after a rest"},
	[VSSD_FAULT_KEY_IF] = {"if", VSSD_FAULT_HEX, "only bytes that have this value"},
	[VSSD_FAULT_KEY_EACH] = {"each", VSSD_FAULT_NUMBER, "the same again after each so many bytes"},
	[VSSD_FAULT_KEY_METADATA] = {"metadata", VSSD_FAULT_FLAG,
				     "the bytes are those of the metadata of each LBA, after they were checked"},
	[VSSD_FAULT_KEY_GROUP] = {"group", VSSD_FAULT_NUMBER, "the ANA group; all without it"},
};

#define SUDDEN "at once, or after delay; nothing is done with the command at which it happens"

const struct vssd_fault_action_word vssd_fault_actions[] = {
	/* before a command executes */
	{"status", VSSD_FAULT_REFUSE, VSSD_FAULT_STATUS_CODE, VSSD_FAULT_COMMAND, AT(COMMAND),
	 KEY(DNR) | KEY(CRD) | KEY(RESULT), 0, "do not execute the command, and complete it with this status",
	 "opcode=write nsid=1 lba=0x100..0x1ff nth=3 do status=00/81 dnr=1 count=1"},
	{"skip", VSSD_FAULT_SKIP, VSSD_FAULT_NOTHING, VSSD_FAULT_COMMAND, AT(COMMAND) | AT(RESET), KEY(RESULT), 0,
	 "report success, and do nothing", "opcode=flush do skip"},
	{"set", VSSD_FAULT_SET, VSSD_FAULT_NOTHING, VSSD_FAULT_COMMAND,
	 AT(COMMAND) | AT(COMPLETION) | REGISTERS | AT(DOORBELL), KEY(FIELD), KEY(FIELD),
	 "change fields of the command before it executes, of its completion (cqe.…), or the value of a register, a "
	 "doorbell or configuration space",
	 "opcode=read slba>=0x1000000 do set slba[63:24]=0"},
	{"add", VSSD_FAULT_ADD, VSSD_FAULT_NOTHING, VSSD_FAULT_COMMAND,
	 AT(COMMAND) | AT(COMPLETION) | REGISTERS | AT(DOORBELL), KEY(FIELD), KEY(FIELD),
	 "as set, but add to the fields", "opcode=write-zeroes nlb<65535 do add nlb=1"},
	{"round", VSSD_FAULT_ROUND, VSSD_FAULT_NUMBER, VSSD_FAULT_COMMAND, AT(COMMAND), KEY(INWARD), 0,
	 "round the range of the command, or each range of a Dataset Management command, outward to multiples of so "
	 "many LBAs",
	 "opcode=dataset-management do round=8"},
	{"early", VSSD_FAULT_EARLY, VSSD_FAULT_TIME, VSSD_FAULT_COMMAND, AT(COMMAND), KEY(KEEP) | KEY(YIELD), 0,
	 "complete the command at once with success, and execute it so much later", "opcode=flush do early=700"},

	{"split", VSSD_FAULT_SPLIT, VSSD_FAULT_NUMBER, VSSD_FAULT_COMMAND, AT(COMMAND), KEY(GAP) | KEY(REVERSE), 0,
	 "execute a Write, Write Zeroes or Write Uncorrectable in pieces of so many bytes, with time between them; a "
	 "command that comes meanwhile finds a part",
	 "opcode=write bytes>4096 do split=4096 gap=100us..500us"},

	{"leave", VSSD_FAULT_LEAVE, VSSD_FAULT_NUMBER, VSSD_FAULT_COMMAND, AT(COMMAND), 0, 0,
	 "from now on, formats, sanitize operations and deletions of namespaces leave these bytes of each namespace "
	 "as "
	 "they are, in whole blocks of 4 KiB",
	 "opcode=format-nvm do leave=64K..128K"},

	{"zone", VSSD_FAULT_ZONE, VSSD_FAULT_ZONE_NAME, VSSD_FAULT_COMMAND, AT(COMMAND), 0, 0,
	 "the zone of the command becomes read-only or offline, or from now on zones are wrong: open-limit, "
	 "active-limit (no limit holds), victim (to make room, an explicitly opened zone is closed), old-data, "
	 "extension (a reset leaves it), lose-end (a finish loses the last block), gap, capacity (a write may start "
	 "behind the write pointer, or reach past the capacity), pointer, stay-open (after a loss of power)",
	 "opcode=write lba=0x8000 do zone=read-only count=1"},

	{"sgl", VSSD_FAULT_SGL, VSSD_FAULT_SGL_NAME, VSSD_FAULT_COMMAND, AT(COMMAND), 0, 0,
	 "read the SGL of the command wrongly: last-segment (it is not read), zero-length (a data block without data "
	 "ends the list), bucket (a bit bucket takes no data of a read), bucket-write (it describes data of a "
	 "write), "
	 "page (a segment wraps at the end of its page), order (the first two descriptors of a segment are "
	 "exchanged)",
	 "opcode=read psdt=1 do sgl=last-segment"},

	{"security", VSSD_FAULT_SECURITY, VSSD_FAULT_SECURITY_NAME, VSSD_FAULT_COMMAND, AT(COMMAND), 0, 0,
	 "from now on the security functions (TCG, RPMB, write protection, Lockdown) make this mistake",
	 "opcode=security-send do security=range-start"},

	{"functions", VSSD_FAULT_FUNCTIONS, VSSD_FAULT_FUNCTIONS_NAME, VSSD_FAULT_COMMAND, AT(COMMAND), 0, 0,
	 "from now on virtual functions are wrong: keep-resources (offline), stay-online (a reset of the primary "
	 "controller), reset-all (a function level reset of one), share-early (a Controller Reset changes the "
	 "resources "
	 "of the primary controller), forget-share (a loss of power does), all-queues (as many as the primary "
	 "controller "
	 "has), assign-online (resources), work-offline",
	 "opcode=virtualization-management do functions=stay-online"},

	/* data */
	{"flip", VSSD_FAULT_FLIP, VSSD_FAULT_NOTHING, VSSD_FAULT_DATA, AT(DATA), KEY(BYTE) | KEY(BIT) | KEY(METADATA),
	 0, "invert one bit of the data", "opcode=read every=100 do flip byte=5 bit=3"},
	{"fill", VSSD_FAULT_FILL, VSSD_FAULT_HEX, VSSD_FAULT_DATA, AT(DATA), KEY(AT) | KEY(SIZE) | KEY(METADATA), 0,
	 "every byte of the data gets this value", "opcode=write every=1000 do fill=0 at=512 size=512"},
	{"bytes", VSSD_FAULT_BYTES_ARE, VSSD_FAULT_NOTHING, VSSD_FAULT_DATA, AT(DATA),
	 KEY(AT) | KEY(SIZE) | KEY(VALUE) | KEY(ADD) | KEY(AND) | KEY(OR) | KEY(XOR) | KEY(FREEZE) | KEY(IF) |
		 KEY(EACH) | KEY(METADATA),
	 KEY(VALUE) | KEY(ADD) | KEY(AND) | KEY(OR) | KEY(XOR) | KEY(FREEZE),
	 "change size (1 to 8, or any with freeze) bytes of the data, the offset counts from the start of the log "
	 "page or structure",
	 "log=02h do bytes at=1 size=2 value=0x140"},
	{"swap", VSSD_FAULT_SWAP, VSSD_FAULT_NOTHING, VSSD_FAULT_DATA, AT(DATA), KEY(AT) | KEY(FROM) | KEY(SIZE), 0,
	 "exchange two pieces of the data, one LBA each by default",
	 "opcode=write nlb>=1 do swap at=0 from=512 size=512"},
	{"shift", VSSD_FAULT_SHIFT, VSSD_FAULT_NUMBER, VSSD_FAULT_DATA, AT(DATA), 0, 0,
	 "move the data so many bytes towards the end, where they wrap", "opcode=read every=50 do shift=4"},
	{"scramble", VSSD_FAULT_SCRAMBLE, VSSD_FAULT_NOTHING, VSSD_FAULT_DATA, AT(DATA),
	 KEY(AT) | KEY(SIZE) | KEY(SEED) | KEY(METADATA), 0, "replace the data by random bytes",
	 "opcode=read lba=77 do scramble seed=5"},
	{"torn", VSSD_FAULT_TORN, VSSD_FAULT_NUMBER, VSSD_FAULT_DATA, AT(DATA), KEY(REVERSE), 0,
	 "transfer only so many bytes; the rest keeps what it had", "opcode=write bytes>4096 every=20 do torn=4096"},
	{"older", VSSD_FAULT_OLDER, VSSD_FAULT_NOTHING, VSSD_FAULT_DATA, AT(DATA), KEY(AT) | KEY(SIZE) | KEY(BACK), 0,
	 "the LBAs hold what they held before they were written last", "opcode=read writes>=3 every=10 do older"},
	{"neighbours", VSSD_FAULT_NEIGHBOURS, VSSD_FAULT_NUMBER, VSSD_FAULT_DATA, AT(DATA), KEY(WITH), KEY(WITH),
	 "after the command, the rest of each unit of so many bytes that it touches holds something else",
	 "opcode=write bytes<4096 every=7 do neighbours=4096 with=older"},

	/* the completion of a command */
	{"never", VSSD_FAULT_NEVER, VSSD_FAULT_NOTHING, VSSD_FAULT_COMPLETION, AT(COMPLETION), 0, 0,
	 "execute the command, and do not complete it", "opcode=read nth=1000 do never"},
	{"late", VSSD_FAULT_LATE, VSSD_FAULT_TIME, VSSD_FAULT_COMPLETION, AT(COMPLETION) | AT(INTERRUPT) | AT(RESET),
	 KEY(SHAPE), 0, "complete the command, interrupt, or finish the reset so much later; of a range, at random",
	 "opcode=read chance=0.001 do late=1..20"},
	{"pace", VSSD_FAULT_PACE, VSSD_FAULT_NUMBER, VSSD_FAULT_COMPLETION, AT(COMPLETION), KEY(BURST), 0,
	 "complete the commands so late that they transfer so many bytes a second",
	 "opcode=write do pace=100M burst=256M"},
	{"hold", VSSD_FAULT_HOLD, VSSD_FAULT_NOTHING, VSSD_FAULT_COMPLETION, AT(COMPLETION), 0, 0,
	 "execute the command, and complete it when the rule is released", "name=stuck opcode=write do hold count=1"},
	{"twice", VSSD_FAULT_TWICE, VSSD_FAULT_NOTHING, VSSD_FAULT_COMPLETION,
	 AT(COMPLETION) | AT(INTERRUPT) | AT(EVENT), 0, 0,
	 "complete the command, interrupt or report the event twice", "opcode=read nth=500 do twice"},

	/* other places */
	{"drop", VSSD_FAULT_DROP, VSSD_FAULT_NOTHING, VSSD_FAULT_INTERRUPT,
	 AT(INTERRUPT) | AT(DOORBELL) | AT(EVENT) | REGISTERS, 0, 0,
	 "ignore the doorbell or the write of a register; do not interrupt or report the event",
	 "on=interrupt queue=2 nth=10 do drop"},
	{"overrun", VSSD_FAULT_OVERRUN, VSSD_FAULT_NOTHING, VSSD_FAULT_DOORBELL, AT(DOORBELL), 0, 0,
	 "act as if the host had read all entries of the completion queue, so that a full one is overwritten",
	 "on=doorbell ring=sq queue=io do overrun"},
	{"storm", VSSD_FAULT_STORM, VSSD_FAULT_NUMBER, VSSD_FAULT_EVENT, AT(EVENT), 0, 0,
	 "report the event so many times more, without waiting until its log page is read",
	 "on=event event=temperature do storm=50"},
	{"hang", VSSD_FAULT_HANG, VSSD_FAULT_NOTHING, VSSD_FAULT_RESET, AT(RESET), 0, 0,
	 "never finish: CSTS.RDY or CSTS.SHST stays as it is, or the function does not return from its reset",
	 "on=flr do hang"},
	{"keep", VSSD_FAULT_KEEP, VSSD_FAULT_KEPT, VSSD_FAULT_RESET, AT(RESET), 0, 0, "reset all but this",
	 "on=flr do keep=features"},
	{"cache", VSSD_FAULT_CACHE, VSSD_FAULT_NOTHING, VSSD_FAULT_POWER, AT(POWER),
	 KEY(CHANCE) | KEY(SEED) | KEY(TORN) | KEY(PAIR) | KEY(FLUSHED) | KEY(VERSIONS), 0,
	 "each LBA in the volatile cache survives the power loss with this chance; without it, none does",
	 "on=power-loss do cache chance=0.5 seed=7"},

	/* sudden events, at any place */
	{"power-off", VSSD_FAULT_POWER_OFF, VSSD_FAULT_NOTHING, VSSD_FAULT_COMMAND, EVERYWHERE & ~AT(POWER),
	 KEY(DELAY) | KEY(AT), 0, "lose power " SUDDEN ", or, with at, after so many bytes of it",
	 "opcode=write nth=1000 do power-off at=2048"},
	{"power-cycle", VSSD_FAULT_POWER_CYCLE, VSSD_FAULT_NOTHING, VSSD_FAULT_COMMAND, EVERYWHERE & ~AT(POWER),
	 KEY(DELAY) | KEY(AT) | KEY(OFF), 0, "lose power as power-off does, and get it back",
	 "opcode=flush do power-cycle delay=5 off=100"},
	{"fatal", VSSD_FAULT_FATAL, VSSD_FAULT_NOTHING, VSSD_FAULT_COMMAND, EVERYWHERE, KEY(DELAY), 0,
	 "set CSTS.CFS " SUDDEN, "opcode=write nth=10 do fatal count=1"},
	{"gone", VSSD_FAULT_GONE, VSSD_FAULT_NOTHING, VSSD_FAULT_COMMAND, EVERYWHERE, KEY(DELAY) | KEY(OFF), 0,
	 "the link is down " SUDDEN ": registers and configuration space read as all ones, for off or for ever",
	 "opcode=read nth=100 do gone off=500 count=1"},
	{"reset", VSSD_FAULT_RESET_SELF, VSSD_FAULT_RESET_KIND, VSSD_FAULT_COMMAND, EVERYWHERE & ~AT(RESET),
	 KEY(DELAY), 0, "the drive resets itself " SUDDEN, "temperature>=350 do reset=controller count=1"},
	{"interrupt", VSSD_FAULT_RAISE_INTERRUPT, VSSD_FAULT_NUMBER, VSSD_FAULT_COMMAND, EVERYWHERE & ~AT(INTERRUPT),
	 KEY(DELAY), 0, "interrupt by this vector without an entry", "opcode=read every=10 do interrupt=1"},
	{"event", VSSD_FAULT_RAISE_EVENT, VSSD_FAULT_EVENT_NAME, VSSD_FAULT_COMMAND, EVERYWHERE & ~AT(EVENT),
	 KEY(DELAY), 0, "report an asynchronous event", "opcode=write nth=5 do event=reliability"},
	{"defect", VSSD_FAULT_DEFECT, VSSD_FAULT_DEFECT_NAME, VSSD_FAULT_COMMAND, EVERYWHERE, KEY(DELAY), 0,
	 "the drive has a defect from now on, which its logs, events and behaviour show; none repairs it",
	 "opcode=write nth=1000 do defect=capacitor"},
	{"ana", VSSD_FAULT_ANA, VSSD_FAULT_ANA_NAME, VSSD_FAULT_COMMAND, EVERYWHERE, KEY(DELAY) | KEY(GROUP), 0,
	 "the ANA groups of the controller, or one of them, have this state from now on",
	 "opcode=write nth=1000 do ana=inaccessible group=1 count=1"},
};

const size_t vssd_fault_num_actions = sizeof(vssd_fault_actions) / sizeof(vssd_fault_actions[0]);

#define SQE(name, dword, low, bits, value, help)                                                                     \
	{                                                                                                            \
		name, VSSD_FAULT_SQE, dword, low, bits, value, help                                                  \
	}
#define CQE(name, dword, low, bits, help)                                                                            \
	{                                                                                                            \
		name, VSSD_FAULT_CQE, dword, low, bits, VSSD_FAULT_HEX, help                                         \
	}

const struct vssd_fault_field vssd_fault_fields[] = {
	[VSSD_FAULT_FIELD_VALUE] = {"value", VSSD_FAULT_OTHER, 0, 0, 64, VSSD_FAULT_HEX,
				    "the value of a register, doorbell or configuration space"},
	[VSSD_FAULT_FIELD_ADDRESS] = {"address", VSSD_FAULT_OTHER, 0, 0, 64, VSSD_FAULT_HEX,
				      "each address of the data, in PRP1, PRP2 and the PRP list"},
	[VSSD_FAULT_FIELD_NSID] = SQE("nsid", 1, 0, 32, VSSD_FAULT_HEX, "NSID"),
	SQE("opcode", 0, 0, 8, VSSD_FAULT_OPCODE_NAME, "OPC"),
	SQE("fuse", 0, 8, 2, VSSD_FAULT_NUMBER, "FUSE"),
	SQE("psdt", 0, 14, 2, VSSD_FAULT_NUMBER, "PSDT"),
	SQE("cid", 0, 16, 16, VSSD_FAULT_HEX, "CID"),
	SQE("mptr", 4, 0, 64, VSSD_FAULT_HEX, "MPTR"),
	SQE("prp1", 6, 0, 64, VSSD_FAULT_HEX, "PRP1"),
	SQE("prp2", 8, 0, 64, VSSD_FAULT_HEX, "PRP2"),
	SQE("slba", 10, 0, 64, VSSD_FAULT_HEX, "SLBA, which is CDW11:10"),
	SQE("nlb", 12, 0, 16, VSSD_FAULT_NUMBER, "NLB, which is 0's based"),
	SQE("fua", 12, 30, 1, VSSD_FAULT_NUMBER, "FUA"),
	SQE("deac", 12, 25, 1, VSSD_FAULT_NUMBER, "DEAC of Write Zeroes"),
	SQE("cdw0", 0, 0, 32, VSSD_FAULT_HEX, "command dwords"),
	SQE("cdw1", 1, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw2", 2, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw3", 3, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw10", 10, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw11", 11, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw12", 12, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw13", 13, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw14", 14, 0, 32, VSSD_FAULT_HEX, ""),
	SQE("cdw15", 15, 0, 32, VSSD_FAULT_HEX, ""),
	CQE("cqe.result", 0, 0, 64, "dwords 0 and 1"),
	CQE("cqe.sqhd", 2, 0, 16, "SQHD"),
	CQE("cqe.sqid", 2, 16, 16, "SQID"),
	CQE("cqe.cid", 3, 0, 16, "CID"),
	CQE("cqe.phase", 3, 16, 1, "phase tag"),
	CQE("cqe.sc", 3, 17, 8, "SC"),
	CQE("cqe.sct", 3, 25, 3, "SCT"),
	CQE("cqe.crd", 3, 28, 2, "CRD"),
	CQE("cqe.more", 3, 30, 1, "M"),
	CQE("cqe.dnr", 3, 31, 1, "DNR"),
};

const size_t vssd_fault_num_fields = sizeof(vssd_fault_fields) / sizeof(vssd_fault_fields[0]);

static uint64_t mask_of(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

uint64_t vssd_fault_field_get(const uint32_t *entry, const struct vssd_fault_field *field)
{
	uint64_t value = entry[field->dword];

	if (field->bits > 32)
		value |= (uint64_t)entry[field->dword + 1] << 32;
	return value >> field->low & mask_of(field->bits);
}

uint64_t vssd_fault_change(uint64_t value, const struct vssd_fault_word *word, bool add)
{
	uint64_t mask = mask_of(word->high - word->low + 1u);
	uint64_t part = add ? (value >> word->low) + word->a : word->a;

	return (value & ~(mask << word->low)) | (part & mask) << word->low;
}

void vssd_fault_field_change(uint32_t *entry, const struct vssd_fault_word *word, bool add)
{
	const struct vssd_fault_field *field = &vssd_fault_fields[word->field];
	uint64_t value = vssd_fault_change(vssd_fault_field_get(entry, field), word, add) & mask_of(field->bits);
	uint64_t whole = entry[field->dword];

	if (field->bits > 32) {
		entry[field->dword] = (uint32_t)value;
		entry[field->dword + 1] = (uint32_t)(value >> 32);
		return;
	}
	whole = (whole & ~(mask_of(field->bits) << field->low)) | value << field->low;
	entry[field->dword] = (uint32_t)whole;
}
