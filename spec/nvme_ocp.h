/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log pages and features of OCP's Datacenter NVMe SSD specification.
 * Layout only, no behaviour.
 * Generated from spec/ocp.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_OCP_H
#define SPEC_NVME_OCP_H

#include <stdint.h>

/* log pages of OCP. */
enum nvme_ocp_lid {
	NVME_OCP_LOG_SMART = 0xc0, /* SMART / Health Information Extended */
	NVME_OCP_LOG_ERROR_RECOVERY = 0xc1, /* Error Recovery */
	NVME_OCP_LOG_FIRMWARE_HISTORY = 0xc2, /* Firmware Activation History */
	NVME_OCP_LOG_LATENCY = 0xc3, /* Latency Monitor */
	NVME_OCP_LOG_CAPABILITIES = 0xc4, /* Device Capabilities */
	NVME_OCP_LOG_UNSUPPORTED = 0xc5, /* Unsupported Requirements */
	NVME_OCP_LOG_HARDWARE = 0xc6, /* Hardware Component */
	NVME_OCP_LOG_TCG = 0xc7, /* TCG Configuration */
	NVME_OCP_LOG_TELEMETRY_STRINGS = 0xc9, /* Telemetry String */
	NVME_OCP_LOG_LATENCY_DEBUG = 0xca, /* debug telemetry of the latency monitor */
};

/* OCP SMART / Health Information Extended, LID C0h. */
struct nvme_ocp_smart_log {
	uint64_t media_units_written[2]; /* physical media units written, bytes */
	uint64_t media_units_read[2]; /* physical media units read, bytes */
	uint8_t bad_user_blocks_raw[6]; /* bad user NAND blocks */
	uint16_t bad_user_blocks_normalised; /* bad user NAND blocks, normalised, percent */
	uint8_t bad_system_blocks_raw[6]; /* bad system NAND blocks */
	uint16_t bad_system_blocks_normalised; /* bad system NAND blocks, normalised, percent */
	uint64_t xor_recoveries; /* XOR recoveries */
	uint64_t uncorrectable_reads; /* reads that could not be corrected */
	uint64_t soft_ecc_errors; /* soft ECC errors */
	uint32_t e2e_detected; /* end-to-end errors that were detected */
	uint32_t e2e_corrected; /* end-to-end errors that were corrected */
	uint8_t system_data_used; /* system data that are used, percent */
	uint8_t refresh_count[7]; /* refreshes */
	uint32_t max_erase_count; /* erases of a user block, the most */
	uint32_t min_erase_count; /* erases of a user block, the least */
	uint8_t throttling_events; /* thermal throttling events */
	uint8_t throttling_status; /* thermal throttling, current */
	uint8_t dssd_errata; /* version of the OCP specification: errata */
	uint16_t dssd_point; /* version of the OCP specification: point */
	uint16_t dssd_minor; /* version of the OCP specification: minor */
	uint8_t dssd_major; /* version of the OCP specification: major */
	uint64_t pcie_correctable_errors; /* PCIe correctable errors */
	uint32_t incomplete_shutdowns; /* incomplete shutdowns */
	uint8_t rsvd116[4];
	uint8_t free_blocks; /* free blocks, percent */
	uint8_t rsvd121[7];
	uint16_t capacitor_health; /* capacitor health, FFFFh: there is none, percent */
	uint8_t errata_base; /* errata of the Base Specification */
	uint8_t errata_command_set; /* errata of the command set's specification */
	uint8_t errata_pcie; /* errata of the PCIe transport's specification */
	uint8_t errata_mi; /* errata of the management interface's specification */
	uint8_t rsvd134[2];
	uint64_t unaligned_io; /* unaligned I/O */
	uint64_t security_version; /* security version */
	uint64_t total_nuse; /* NUSE of all namespaces */
	uint64_t plp_starts[2]; /* starts of power loss protection */
	uint64_t endurance_estimate[2]; /* endurance estimate, bytes */
	uint64_t link_retrains; /* PCIe link retrainings */
	uint64_t power_state_changes; /* power state changes */
	char lowest_firmware[8]; /* lowest firmware revision that is permitted */
	uint16_t dies; /* media dies */
	uint16_t die_tolerance; /* dies that may fail */
	uint16_t dies_offline; /* dies that are offline */
	uint8_t max_temperature; /* highest temperature that was recorded, degrees Celsius */
	uint8_t form_factor; /* form factor */
	uint64_t average_erase_count; /* erases of a user block, average */
	uint32_t command_timeouts; /* command time-outs */
	uint32_t system_program_fails_raw; /* program failures of the system area */
	uint8_t system_program_fails_normalised; /* the same, normalised, percent */
	uint8_t rsvd241[3];
	uint32_t system_read_fails_raw; /* uncorrectable reads of the system area */
	uint8_t system_read_fails_normalised; /* the same, normalised, percent */
	uint8_t rsvd249[3];
	uint32_t system_erase_fails_raw; /* erase failures of the system area */
	uint8_t system_erase_fails_normalised; /* the same, normalised, percent */
	uint8_t rsvd257[3];
	uint16_t max_peak_power; /* peak power that the drive can need */
	uint16_t max_average_power; /* average power that the drive can need */
	uint8_t lifetime_energy[6]; /* energy over the life of the drive */
	char firmware_revision[8]; /* firmware revision */
	uint8_t build_uuid[16]; /* UUID of the firmware's build */
	char build_label[64]; /* label of the firmware's build */
	uint8_t bad_blocks_in_use_raw[6]; /* bad blocks of dies in use */
	uint16_t bad_blocks_in_use_normalised; /* bad blocks of dies in use, normalised, percent */
	uint8_t rsvd366[128];
	uint16_t version; /* version of the log page */
	uint64_t guid[2]; /* GUID of the log page */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_smart_log) == 512, "LID C0h");

/* OCP Error Recovery, LID C1h. */
struct nvme_ocp_error_recovery_log {
	uint16_t panic_reset_wait; /* time to wait before a reset, ms */
	uint8_t panic_reset_action; /* resets that help */
	uint8_t recovery_action_1; /* recovery action 1 */
	uint64_t panic_id; /* panic that has occurred, 0: none */
	uint32_t capabilities; /* device capabilities */
	uint8_t vendor_opcode; /* opcode of the vendor's recovery command */
	uint8_t rsvd17[3];
	uint32_t vendor_cdw12; /* its dword 12 */
	uint32_t vendor_cdw13; /* its dword 13 */
	uint8_t vendor_timeout; /* its time-out */
	uint8_t recovery_action_2; /* recovery action 2 */
	uint8_t recovery_timeout_2; /* time-out of recovery action 2 */
	uint8_t panic_count; /* panics */
	uint64_t previous_panic_ids[4]; /* four panics before, the newest comes first */
	uint8_t rsvd64[430];
	uint16_t version; /* version of the log page */
	uint64_t guid[2]; /* GUID of the log page */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_error_recovery_log) == 512, "LID C1h");

/* OCP firmware activation history entry. */
struct nvme_ocp_firmware_activation {
	uint8_t version; /* version of the entry */
	uint8_t length; /* length of the entry, bytes */
	uint8_t rsvd2[2];
	uint16_t count; /* activations */
	uint64_t timestamp; /* time stamp, ms */
	uint8_t rsvd14[8];
	uint64_t power_cycles; /* power cycles */
	char previous[8]; /* revision before */
	char new[8]; /* revision after */
	uint8_t slot; /* slot */
	uint8_t action; /* commit action */
	uint16_t result; /* result, 0: success */
	uint8_t rsvd50[14];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_firmware_activation) == 64, "OCP firmware activation");

/* OCP Firmware Activation History, LID C2h; obsolete in newer editions. */
struct nvme_ocp_firmware_history_log {
	uint8_t lid; /* log page */
	uint8_t rsvd1[3];
	uint32_t valid; /* entries */
	struct nvme_ocp_firmware_activation entries[20]; /* entries */
	uint8_t rsvd1288[2790];
	uint16_t version; /* version of the log page */
	uint64_t guid[2]; /* GUID of the log page */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_firmware_history_log) == 4096, "LID C2h");

/* OCP latency counters of a bucket. */
struct nvme_ocp_latency_counters {
	uint8_t rsvd0[4];
	uint32_t trim; /* Dataset Management commands */
	uint32_t write; /* writes */
	uint32_t read; /* reads */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_latency_counters) == 16, "OCP latency counters");

/* OCP latency time stamps of a bucket. */
struct nvme_ocp_latency_stamps {
	uint64_t trim; /* Dataset Management commands */
	uint64_t write; /* writes */
	uint64_t read; /* reads */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_latency_stamps) == 24, "OCP latency time stamps");

/* OCP measured latency of a bucket. */
struct nvme_ocp_measured_latency {
	uint16_t trim; /* Dataset Management commands, ms */
	uint16_t write; /* writes, ms */
	uint16_t read; /* reads, ms */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_measured_latency) == 6, "OCP measured latency");

/* state of the latency monitor, of log page C3h. */
#define NVME_OCP_LATENCY_ENABLED 0x1u /* the monitor counts */
#define NVME_OCP_LATENCY_MODE 0x2u /* it has the active latency mode */
#define NVME_OCP_LATENCY_MEASURED 0x4u /* it has measured latencies */

/* OCP Latency Monitor, LID C3h. */
struct nvme_ocp_latency_log {
	uint8_t feature_status; /* support and state of the feature */
	uint8_t rsvd1;
	uint16_t bucket_timer; /* age of the active buckets, 5 minutes */
	uint16_t bucket_timer_threshold; /* when active buckets become static, 5 minutes */
	uint8_t threshold_a; /* threshold A, 5 ms, 0's based */
	uint8_t threshold_b; /* threshold B, 5 ms, 0's based */
	uint8_t threshold_c; /* threshold C, 5 ms, 0's based */
	uint8_t threshold_d; /* threshold D, 5 ms, 0's based */
	uint16_t configuration; /* active latency mode: bits 3n to 3n + 2 for reads, writes and trims of bucket n */
	uint8_t minimum_window; /* minimum window, 100 ms */
	uint8_t rsvd13[19];
	struct nvme_ocp_latency_counters active_counters[4]; /* active buckets 0 to 3 */
	struct nvme_ocp_latency_stamps active_stamps[4]; /* active time stamps, those of bucket 3 come first */
	struct nvme_ocp_measured_latency active_latency[4]; /* active measured latency, as the stamps */
	uint16_t active_stamp_units; /* units of the active time stamps */
	uint8_t rsvd218[22];
	struct nvme_ocp_latency_counters static_counters[4]; /* static buckets 0 to 3 */
	struct nvme_ocp_latency_stamps static_stamps[4]; /* static time stamps, as the active ones */
	struct nvme_ocp_measured_latency static_latency[4]; /* static measured latency, as the stamps */
	uint16_t static_stamp_units; /* units of the static time stamps */
	uint8_t rsvd426[10];
	uint8_t debug_size[12]; /* size of the debug log */
	uint16_t debug_trigger; /* trigger of a debug log */
	uint16_t debug_latency; /* latency that triggered it, ms */
	uint64_t debug_stamp; /* its time stamp */
	uint16_t debug_pointer; /* debug log pointer */
	uint16_t debug_counter_trigger; /* counter that triggered it */
	uint8_t debug_stamp_units; /* units of its time stamp */
	uint8_t rsvd465[29];
	uint16_t version; /* version of the log page */
	uint64_t guid[2]; /* GUID of the log page */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_latency_log) == 512, "LID C3h");

/* OCP Device Capabilities, LID C4h. */
struct nvme_ocp_capabilities_log {
	uint16_t pcie_ports; /* PCIe ports */
	uint16_t oob_management; /* out of band management */
	uint16_t write_zeroes; /* Write Zeroes */
	uint16_t sanitize; /* Sanitize */
	uint16_t dsm; /* Dataset Management */
	uint16_t write_uncorrectable; /* Write Uncorrectable */
	uint16_t fused; /* fused operations */
	uint16_t min_power_state; /* lowest DSSD power state */
	uint8_t power_states[128]; /* DSSD power states, one for each watt; 0 W is reserved */
	uint8_t rsvd144[3934];
	uint16_t version; /* version of the log page */
	uint64_t guid[2]; /* GUID of the log page */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_capabilities_log) == 4096, "LID C4h");

/* OCP Unsupported Requirements, LID C5h. */
struct nvme_ocp_unsupported_log {
	uint16_t count; /* requirements */
	uint8_t rsvd2[14];
	char requirements[253][16]; /* their identifiers */
	uint8_t rsvd4064[14];
	uint16_t version; /* version of the log page */
	uint64_t guid[2]; /* GUID of the log page */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_unsupported_log) == 4096, "LID C5h");

/* hardware components of log page C6h; from 8000h on the vendor's. */
enum nvme_ocp_component_id {
	NVME_OCP_COMPONENT_ASIC = 1, /* controller ASIC */
	NVME_OCP_COMPONENT_NAND = 2, /* NAND */
	NVME_OCP_COMPONENT_DRAM = 3, /* DRAM */
	NVME_OCP_COMPONENT_PMIC = 4, /* PMIC */
	NVME_OCP_COMPONENT_PCB = 5, /* PCB */
	NVME_OCP_COMPONENT_CAPACITOR = 6, /* capacitor */
	NVME_OCP_COMPONENT_REGULATOR = 7, /* regulator */
	NVME_OCP_COMPONENT_CASE = 8, /* case */
	NVME_OCP_COMPONENT_SERIAL_NUMBER = 9, /* serial number of the device */
	NVME_OCP_COMPONENT_COUNTRY = 10, /* country of origin */
	NVME_OCP_COMPONENT_HARDWARE_REVISION = 11, /* global hardware revision of the device */
	NVME_OCP_COMPONENT_BORN_ON = 12, /* born-on date */
};

/* OCP hardware component descriptor. */
struct nvme_ocp_component {
	uint64_t date_lot_size; /* length of the date and lot code, dwords */
	uint64_t additional_size; /* length of additional information, dwords */
	uint32_t id; /* the component, 8000h and above: the vendor's, enum nvme_ocp_component_id */
	char manufacturer[8]; /* manufacturer */
	char revision[8]; /* revision */
	char manufacturer_code[8]; /* manufacturer's code */
	uint8_t data[]; /* the date and lot code, then additional information */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_component) == 44, "OCP hardware component");

/* OCP Hardware Component, LID C6h. */
struct nvme_ocp_hardware_log {
	uint16_t version; /* version of the log page */
	uint8_t rsvd2[14];
	uint64_t guid[2]; /* GUID of the log page */
	uint64_t size[2]; /* length of the log page, of version 1 in dwords, of later ones in bytes */
	uint8_t rsvd48[16];
	uint8_t components[]; /* components */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_hardware_log) == 64, "LID C6h");

/* OCP Statistics Identifier String Table entry. */
struct nvme_ocp_statistic_string {
	uint16_t id; /* statistic identifier of the vendor */
	uint8_t rsvd2;
	uint8_t length; /* length of its string, bytes */
	uint64_t offset; /* where its string begins in the ASCII table, bytes */
	uint8_t rsvd12[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_statistic_string) == 16, "OCP statistic string");

/* OCP Event String Table entry, also of events of the vendor. */
struct nvme_ocp_event_string {
	uint8_t event_class; /* debug event class */
	uint16_t id; /* event identifier */
	uint8_t length; /* length of its string, bytes */
	uint64_t offset; /* where its string begins in the ASCII table, bytes */
	uint8_t rsvd12[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_event_string) == 16, "OCP event string");

/* OCP Telemetry String, LID C9h. Starts count from the beginning of the log page. */
struct nvme_ocp_telemetry_strings_log {
	uint8_t version; /* version of the log page */
	uint8_t rsvd1[15];
	uint64_t guid[2]; /* GUID of the log page */
	uint64_t size; /* length of the log page, dwords */
	uint8_t rsvd40[24];
	uint64_t statistics_start; /* where the Statistics Identifier String Table begins, dwords */
	uint64_t statistics_size; /* its length, dwords */
	uint64_t events_start; /* where the Event String Table begins, dwords */
	uint64_t events_size; /* its length, dwords */
	uint64_t vendor_events_start; /* where the VU Event String Table begins, dwords */
	uint64_t vendor_events_size; /* its length, dwords */
	uint64_t ascii_start; /* where the ASCII table begins, dwords */
	uint64_t ascii_size; /* its length, dwords */
	char fifos[16][16]; /* names of the event FIFOs */
	uint8_t rsvd384[48];
	uint8_t tables[]; /* the tables; pynvme.ocp_strings decodes them */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_telemetry_strings_log) == 432, "LID C9h");

/* OCP TCG Configuration, LID C7h. */
struct nvme_ocp_tcg_log {
	uint8_t state; /* state of TCG */
	uint8_t rsvd1[3];
	uint8_t locking_sp_activations; /* activations of the Locking SP */
	uint8_t tper_reverts; /* reverts of the TPer */
	uint8_t locking_sp_reverts; /* reverts of the Locking SP */
	uint8_t locking_objects; /* locking objects */
	uint8_t single_user_objects; /* locking objects in single user mode */
	uint8_t range_objects; /* locking objects with a range */
	uint8_t namespace_objects; /* locking objects with a namespace */
	uint8_t read_locked_objects; /* locking objects that are locked for reads */
	uint8_t write_locked_objects; /* locking objects that are locked for writes */
	uint8_t read_unlocked_objects; /* locking objects that are unlocked for reads */
	uint8_t write_unlocked_objects; /* locking objects that are unlocked for writes */
	uint8_t rsvd15;
	uint32_t sid_tries; /* failed authentications of SID */
	uint32_t sid_try_limit; /* failed authentications of SID at most */
	uint32_t programmatic_resets; /* programmatic resets */
	uint32_t programmatic_locks; /* programmatic reset locks */
	uint32_t errors; /* errors of TCG */
	uint16_t namespace_objects_ext; /* locking objects with a namespace, wide */
	uint8_t rsvd38[456];
	uint16_t version; /* version of the log page */
	uint64_t guid[2]; /* GUID of the log page */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_tcg_log) == 512, "LID C7h");

/* OCP feature C5h, Latency Monitor. */
struct nvme_ocp_latency_config {
	uint16_t bucket_timer_threshold; /* when active buckets become static, 5 minutes */
	uint8_t threshold_a; /* threshold A, 5 ms, 0's based */
	uint8_t threshold_b; /* threshold B, 5 ms, 0's based */
	uint8_t threshold_c; /* threshold C, 5 ms, 0's based */
	uint8_t threshold_d; /* threshold D, 5 ms, 0's based */
	uint16_t configuration; /* active latency mode, as in log page C3h */
	uint8_t minimum_window; /* minimum window, 100 ms */
	uint16_t debug_trigger; /* which counters trigger a debug log */
	uint8_t discard_debug; /* 1: discard the debug log */
	uint8_t enable; /* 1: the monitor counts */
	uint8_t rsvd13[4083];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_latency_config) == 4096, "OCP FID C5h");

/* features C1h to C3h. */
#define NVME_OCP_CLEAR (UINT32_C(1) << 31) /* clear it */
#define NVME_OCP_FAILURE_MODE_SHIFT 30 /* Set Features: the same, or 0 for the default */

/* descriptors of DSSD power states, of log page C4h. */
#define NVME_OCP_POWER_STATE_PS 0x1fu /* NVMe power state */
#define NVME_OCP_POWER_STATE_VALID 0x80u /* valid */

/* resets that help, of log page C1h. */
#define NVME_OCP_HELPS_CONTROLLER_RESET 0x1u /* a controller level reset */
#define NVME_OCP_HELPS_PCIE_RESET 0x2u /* a PCIe reset */
#define NVME_OCP_HELPS_SUBSYSTEM_RESET 0x4u /* an NVM subsystem reset */
#define NVME_OCP_HELPS_POWER_CYCLE 0x8u /* a power cycle */

/* features of OCP. */
enum nvme_ocp_fid {
	NVME_OCP_FEAT_ERROR_INJECTION = 0xc0, /* Error Injection */
	NVME_OCP_FEAT_CLEAR_FIRMWARE_HISTORY = 0xc1, /* Clear Firmware Update History */
	NVME_OCP_FEAT_READ_ONLY_WRITE_THROUGH = 0xc2, /* EOL/PLP Failure Mode */
	NVME_OCP_FEAT_CLEAR_PCIE_ERRORS = 0xc3, /* Clear PCIe Correctable Error Counters */
	NVME_OCP_FEAT_IEEE1667 = 0xc4, /* Enable IEEE1667 Silo */
	NVME_OCP_FEAT_LATENCY_MONITOR = 0xc5, /* Latency Monitor */
	NVME_OCP_FEAT_PLP_HEALTH_CHECK = 0xc6, /* PLP Health Check Interval */
	NVME_OCP_FEAT_POWER_STATE = 0xc7, /* DSSD Power State */
	NVME_OCP_FEAT_TELEMETRY_PROFILE = 0xc8, /* Telemetry Profile */
	NVME_OCP_FEAT_ASYNC_EVENT = 0xc9, /* DSSD Asynchronous Event Configuration */
	NVME_OCP_FEAT_IDLE_WAKE_UP = 0xca, /* Idle Wake Up Time Configuration */
};

/* errors that feature C0h injects. */
enum nvme_ocp_error {
	NVME_OCP_ERROR_CONTROLLER_HANG = 1,
	NVME_OCP_ERROR_NAND_HANG = 2,
	NVME_OCP_ERROR_PLP_DEFECT = 3,
	NVME_OCP_ERROR_FIRMWARE_ERROR = 4,
	NVME_OCP_ERROR_DRAM_CRITICAL = 5,
	NVME_OCP_ERROR_DRAM_NON_CRITICAL = 6,
	NVME_OCP_ERROR_NAND_CORRUPTION = 7,
	NVME_OCP_ERROR_SRAM_CORRUPTION = 8,
	NVME_OCP_ERROR_HARDWARE_MALFUNCTION = 9,
	NVME_OCP_ERROR_NO_SPARES = 10,
	NVME_OCP_ERROR_INCOMPLETE_SHUTDOWN = 11,
	NVME_OCP_ERROR_METADATA_CORRUPTION = 12,
	NVME_OCP_ERROR_CRITICAL_GARBAGE_COLLECTION = 13,
	NVME_OCP_ERROR_LATENCY_SPIKE = 14,
	NVME_OCP_ERROR_IO_FAILURE = 15,
	NVME_OCP_ERROR_IO_TIMEOUT = 16,
	NVME_OCP_ERROR_ADMIN_FAILURE = 17,
	NVME_OCP_ERROR_ADMIN_TIMEOUT = 18,
	NVME_OCP_ERROR_THROTTLING_ON = 19,
	NVME_OCP_ERROR_THROTTLING_OFF = 20,
	NVME_OCP_ERROR_CRITICAL_TEMPERATURE = 21,
	NVME_OCP_ERROR_DIE_OFFLINE = 22,
};

/* an entry of OCP feature C0h, Error Injection; up to 127 of them. */
struct nvme_ocp_error_injection {
	uint8_t flags; /* flags */
	uint8_t rsvd1;
	uint16_t type; /* error, enum nvme_ocp_error */
	uint16_t nrtdp; /* reads until a device panic */
	uint8_t rsvd6[26];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_error_injection) == 32, "OCP FID C0h");

/* flags of an entry of feature C0h. */
#define NVME_OCP_INJECTION_ENABLE 0x1u /* enabled */
#define NVME_OCP_INJECTION_SINGLE 0x2u /* once */

#endif
