# SPDX-License-Identifier: BSD-3-Clause
"""Declarations for Cython of driver.h and of the headers that it includes, and of nothing else."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp cimport bool


cdef extern from "driver.h" nogil:
    # -- errors, log, time ------------------------------------------------------------------------------
    enum pyn_error_kind:
        PYN_ERROR_ARGUMENT
        PYN_ERROR_MEMORY
        PYN_ERROR_ENUMERATE
        PYN_ERROR_GONE
        PYN_ERROR_TIMEOUT
        PYN_ERROR_CREATE
        PYN_ERROR_DELETE
        PYN_ERROR_SHUTDOWN
        PYN_ERROR_NAMESPACE
        PYN_ERROR_STATE
        PYN_ERROR_UNSUPPORTED
        PYN_ERROR_WITHHELD
        PYN_ERROR_SYSTEM
        PYN_ERROR_CONTENT

    struct pyn_error:
        int kind
        int number
        int capability
        char text[232]

    void pyn_log_keep()
    int pyn_log_take(char *text, size_t size)
    uint64_t pyn_ticks_hz()
    uint64_t pyn_ticks_to_ns(uint64_t ticks)
    uint64_t pyn_ns_to_ticks(uint64_t ns)
    uint64_t pyn_ticks_to_realtime_ns(uint64_t ticks)
    uint64_t pyn_monotonic_ns()
    size_t pyn_dma_in_use()
    size_t pyn_dma_lost()
    uint32_t pyn_process_number()
    const char *pyn_status_name(uint16_t status)
    const char *pyn_admin_opcode_name(uint8_t opcode)
    const char *pyn_io_opcode_name(uint8_t csi, uint8_t opcode)
    uint16_t pyn_crc16(uint16_t seed, const void *data, size_t length)
    uint32_t pyn_crc32c(uint32_t seed, const void *data, size_t length)
    uint64_t pyn_crc64(uint64_t seed, const void *data, size_t length)
    void pyn_seed(uint64_t seed)

    # -- NVMe entries -----------------------------------------------------------------------------------
    struct nvme_cmd:
        uint8_t opc
        uint8_t flags
        uint16_t cid
        uint32_t nsid
        uint32_t cdw2
        uint32_t cdw3
        uint64_t mptr
        uint64_t prp1
        uint64_t prp2
        uint32_t cdw10
        uint32_t cdw11
        uint32_t cdw12
        uint32_t cdw13
        uint32_t cdw14
        uint32_t cdw15

    enum:
        NVME_FIELD_GET_LOG_PAGE_LID
        NVME_FIELD_GET_LOG_PAGE_NUMDL
        NVME_FIELD_GET_LOG_PAGE_NUMDU
        NVME_FIELD_GET_LOG_PAGE_LPO
        NVME_FIELD_IDENTIFY_CNS
        NVME_FIELD_IDENTIFY_CNTID
        NVME_FIELD_IDENTIFY_CNSSID
        NVME_FIELD_IDENTIFY_CSI
        NVME_FIELD_SET_FEATURES_FID
        NVME_FIELD_SET_FEATURES_SV
        NVME_FIELD_GET_FEATURES_FID
        NVME_FIELD_GET_FEATURES_SEL
        NVME_FIELD_FW_COMMIT_FS
        NVME_FIELD_FW_COMMIT_CA
        NVME_FIELD_FW_DOWNLOAD_NUMD
        NVME_FIELD_FW_DOWNLOAD_OFST
        NVME_FIELD_MI_SEND_MT
        NVME_FIELD_MI_SEND_NMIMT
        NVME_FIELD_FORMAT_NVM_LBAFL
        NVME_FIELD_FORMAT_NVM_MSET
        NVME_FIELD_FORMAT_NVM_PI
        NVME_FIELD_FORMAT_NVM_PIL
        NVME_FIELD_FORMAT_NVM_SES
        NVME_FIELD_NS_ATTACHMENT_SEL
        NVME_FIELD_NS_MANAGEMENT_CSI
        NVME_FIELD_NS_MANAGEMENT_SEL
        NVME_FIELD_GET_LBA_STATUS_SLBA
        NVME_FIELD_GET_LBA_STATUS_MNDW
        NVME_FIELD_GET_LBA_STATUS_RL
        NVME_FIELD_GET_LBA_STATUS_ATYPE
        NVME_FIELD_DIRECTIVE_SEND_NUMD
        NVME_FIELD_DIRECTIVE_SEND_DOPER
        NVME_FIELD_DIRECTIVE_SEND_DTYPE
        NVME_FIELD_DIRECTIVE_SEND_DSPEC
        NVME_FIELD_DIRECTIVE_SEND_VALUE
        NVME_FIELD_SECURITY_SEND_NSSF
        NVME_FIELD_SECURITY_SEND_SPSP
        NVME_FIELD_SECURITY_SEND_SECP
        NVME_FIELD_SECURITY_SEND_TL
        NVME_FIELD_SANITIZE_OVRPAT
        NVME_FIELD_READ_SLBA
        NVME_FIELD_READ_NLB
        NVME_FIELD_COPY_CDFMT
        NVME_FIELD_COPY_NR
        NVME_FIELD_COPY_SDLBA
        NVME_FIELD_DSM_NR
        NVME_FIELD_MANAGEMENT_RECEIVE_MO
        NVME_FIELD_MANAGEMENT_RECEIVE_MOS
        NVME_FIELD_MANAGEMENT_RECEIVE_NUMD
        NVME_FIELD_MANAGEMENT_SEND_MO
        NVME_FIELD_MANAGEMENT_SEND_MOS
        NVME_FIELD_ZONE_MGMT_SEND_SLBA
        NVME_FIELD_ZONE_MGMT_SEND_ZSA
        NVME_FIELD_ZONE_MGMT_SEND_SELECTALL
        NVME_FIELD_ZONE_MGMT_SEND_ZSASO
        NVME_FIELD_ZONE_MGMT_RECEIVE_SLBA
        NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD
        NVME_FIELD_ZONE_MGMT_RECEIVE_ZRA
        NVME_FIELD_ZONE_MGMT_RECEIVE_ZRASF
        NVME_FIELD_ZONE_MGMT_RECEIVE_PARTIAL
        NVME_FIELD_RESERVATION_REGISTER_RREGA
        NVME_FIELD_RESERVATION_REGISTER_IEKEY
        NVME_FIELD_RESERVATION_REGISTER_CPTPL
        NVME_FIELD_RESERVATION_REPORT_NUMD
        NVME_FIELD_RESERVATION_REPORT_EDS
        NVME_FIELD_RESERVATION_ACQUIRE_RACQA
        NVME_FIELD_RESERVATION_ACQUIRE_IEKEY
        NVME_FIELD_RESERVATION_ACQUIRE_RTYPE
        NVME_FIELD_RESERVATION_RELEASE_RRELA
        NVME_FIELD_RESERVATION_RELEASE_IEKEY
        NVME_FIELD_RESERVATION_RELEASE_RTYPE

    uint32_t nvme_field_width(uint32_t field)
    uint64_t nvme_get_field(const nvme_cmd *cmd, uint32_t field)
    void nvme_set_field(nvme_cmd *cmd, uint32_t field, uint64_t value)

    struct nvme_cpl:
        uint32_t cdw0
        uint32_t cdw1
        uint16_t sqhd
        uint16_t sqid
        uint16_t cid
        uint16_t status

    struct pyn_device:
        pass

    struct pyn_cmb_info:
        uint64_t size
        bool submission_queues
        bool completion_queues
        bool lists
        bool reads
        bool writes

    struct pyn_iova:
        uint64_t value

    # -- engines ----------------------------------------------------------------------------------------
    struct pyn_engine:
        pass

    const char *pyn_capability_name(unsigned capability)
    const char *pyn_capability_title(unsigned capability)
    const pyn_engine *pyn_engine_at(unsigned index)
    const pyn_engine *pyn_engine_select(pyn_error *err)
    const char *pyn_engine_name(const pyn_engine *engine)
    const char *pyn_engine_version(const pyn_engine *engine)
    const char *pyn_engine_dpdk(const pyn_engine *engine)
    const char *pyn_engine_withheld(const pyn_engine *engine, unsigned capability, pyn_address_kind kind)

    # -- buffers ----------------------------------------------------------------------------------------
    struct pyn_buffer:
        uint8_t *data
        uint32_t size

    int pyn_env_start(pyn_error *err)
    pyn_buffer *pyn_buffer_with_pattern(pyn_device *cmb_of, uint32_t size, uint32_t ptype, uint32_t pvalue,
                                        pyn_error *err)
    void pyn_buffer_put(pyn_buffer *buffer)
    void pyn_buffer_changed(pyn_buffer *buffer, uint32_t offset, uint32_t length)
    pyn_iova pyn_buffer_address(const pyn_buffer *buffer, uint32_t offset)

    # -- the command log --------------------------------------------------------------------------------
    struct pyn_cmdlog:
        uint64_t count

    struct pyn_cmdlog_entry:
        nvme_cmd cmd
        nvme_cpl cpl
        uint64_t submitted
        uint64_t completed
        uint64_t slba
        uint32_t nlb
        uint64_t number
        uint16_t told
        uint64_t told_number

    struct pyn_cmdlog_record:
        pass

    bool pyn_cmdlog_read(const pyn_cmdlog *log, uint64_t age, pyn_cmdlog_entry *entry)
    void pyn_cmdlog_record_of(pyn_cmdlog_record *record, const pyn_cmdlog_entry *entry, uint16_t qid)
    int pyn_capture_start(const char *path, uint64_t worker_most, pyn_error *err)
    int pyn_capture_stop(pyn_error *err)

    # -- verification -----------------------------------------------------------------------------------
    struct pyn_verify:
        pass

    struct pyn_mismatch:
        uint64_t lba
        uint32_t count

    struct pyn_verify_counts:
        uint64_t checked
        uint64_t unverified
        uint64_t mismatch

    void pyn_verify_get_counts(const pyn_verify *verify, pyn_verify_counts *counts)
    void pyn_verify_forget(pyn_verify *verify, uint64_t slba, uint64_t nlb)

    struct pyn_saved:
        uint64_t known
        uint64_t stale
        uint64_t lost

    void pyn_mismatch_text(const pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size)

    # -- drives -----------------------------------------------------------------------------------------
    struct pyn_inflight:
        pass

    enum:
        NVME_ADMIN_GET_LOG_PAGE
        NVME_ADMIN_IDENTIFY
        NVME_ADMIN_SET_FEATURES
        NVME_ADMIN_GET_FEATURES
        NVME_ADMIN_ASYNC_EVENT
        NVME_ADMIN_FW_COMMIT
        NVME_ADMIN_FW_DOWNLOAD
        NVME_ADMIN_MI_SEND
        NVME_ADMIN_MI_RECEIVE
        NVME_ADMIN_FORMAT_NVM
        NVME_ADMIN_NS_ATTACHMENT
        NVME_ADMIN_NS_MANAGEMENT
        NVME_ADMIN_DIRECTIVE_SEND
        NVME_ADMIN_DIRECTIVE_RECEIVE
        NVME_ADMIN_SECURITY_SEND
        NVME_ADMIN_SECURITY_RECEIVE
        NVME_ADMIN_SANITIZE
        NVME_ADMIN_GET_LBA_STATUS
        NVME_ADMIN_DOORBELL_BUFFER_CONFIG
        NVME_NS_CREATE
        NVME_NS_DELETE
        NVME_NS_ATTACH
        NVME_NS_DETACH
        NVME_IO_FLUSH
        NVME_IO_WRITE
        NVME_IO_READ
        NVME_IO_WRITE_UNCORRECTABLE
        NVME_IO_COMPARE
        NVME_IO_WRITE_ZEROES
        NVME_IO_CANCEL
        NVME_IO_COPY
        NVME_IO_DSM
        NVME_IO_VERIFY
        NVME_IO_MANAGEMENT_RECEIVE
        NVME_IO_MANAGEMENT_SEND
        NVME_IO_ZONE_MGMT_SEND
        NVME_IO_ZONE_MGMT_RECEIVE
        NVME_IO_ZONE_APPEND
        NVME_KV_STORE
        NVME_KV_RETRIEVE
        NVME_KV_LIST
        NVME_KV_DELETE
        NVME_KV_EXIST
        NVME_IO_RESERVATION_REGISTER
        NVME_IO_RESERVATION_REPORT
        NVME_IO_RESERVATION_ACQUIRE
        NVME_IO_RESERVATION_RELEASE

    enum pyn_device_reset_kind "pyn_device_reset":
        PYN_DEVICE_RESET_CONTROLLER
        PYN_DEVICE_RESET_FUNCTION
        PYN_DEVICE_RESET_HOT
        PYN_DEVICE_RESET_DONE

    enum pyn_address_kind:
        PYN_ADDRESS_FUNCTION
        PYN_ADDRESS_SOCKET
        PYN_ADDRESS_TCP
        PYN_ADDRESS_PRIVATE

    struct pyn_address:
        pyn_address_kind kind
        char text[256]

    int pyn_address_parse(const char *text, pyn_address *address, pyn_error *err)

    int pyn_device_open(const pyn_address *address, bool keep_tables, pyn_device **device, pyn_error *err)
    void pyn_device_put(pyn_device *device)
    void pyn_device_close(pyn_device *device)
    bool pyn_device_was_shut_down(const pyn_device *device)
    bool pyn_device_is_open(const pyn_device *device)
    bool pyn_device_alive(pyn_device *device)
    int pyn_device_init_adminq(pyn_device *device, pyn_error *err)
    int pyn_device_init_ns(pyn_device *device, pyn_error *err)
    void pyn_device_init_queues(pyn_device *device, uint32_t cdw0)
    int pyn_device_init(pyn_device *device, pyn_error *err)
    bool pyn_device_initialised(const pyn_device *device)
    int pyn_device_use_shadow_doorbells(pyn_device *device, pyn_error *err)
    int pyn_device_reset(pyn_device *device, pyn_device_reset_kind kind, pyn_error *err)
    int pyn_device_shutdown(pyn_device *device, bool abrupt, pyn_error *err)
    void pyn_device_power_lost(pyn_device *device)
    void pyn_device_forget(pyn_device *device)
    bool pyn_device_admin_is_unknown(uint8_t opcode)
    void pyn_device_ask_effects(pyn_device *device)
    int pyn_device_supports(pyn_device *device, uint8_t opcode, bool io, pyn_error *err) nogil
    void pyn_device_stop(pyn_device *device)
    int pyn_device_release(pyn_device *device, pyn_error *err)
    int pyn_device_reattach(pyn_device *device, pyn_error *err)
    int pyn_device_reg_read(pyn_device *device, uint32_t offset, uint32_t size, uint64_t *value, pyn_error *err)
    int pyn_device_reg_write(pyn_device *device, uint32_t offset, uint32_t size, uint64_t value, pyn_error *err)
    int pyn_device_config_read(pyn_device *device, uint32_t offset, void *data, uint32_t length, pyn_error *err)
    int pyn_device_config_write(pyn_device *device, uint32_t offset, const void *data, uint32_t length,
                                pyn_error *err)
    pyn_inflight *pyn_device_admin(const pyn_device *device)
    uint64_t pyn_device_cap(const pyn_device *device)
    uint64_t pyn_device_mdts(const pyn_device *device)
    int pyn_device_choose_page(pyn_device *device, uint32_t bytes, pyn_error *err) nogil
    uint32_t pyn_device_page(const pyn_device *device)
    int pyn_device_identify_now(pyn_device *device, void *data, pyn_error *err)
    uint32_t pyn_device_max_qpairs(const pyn_device *device)
    uint32_t *pyn_device_timeout_ms(pyn_device *device)
    uint32_t pyn_device_process(const pyn_device *device)
    int pyn_device_admin_execute(pyn_device *device, const nvme_cmd *cmd, pyn_buffer *buffer,
                                 pyn_error_kind refused, uint32_t *cdw0, pyn_error *err)

    # -- commands ---------------------------------------------------------------------------------------
    struct pyn_metadata:
        pyn_buffer *buffer
        uint32_t offset
        bool protects
        bool own

    struct pyn_command:
        nvme_cmd cmd
        pyn_buffer *buffer
        uint32_t offset
        uint32_t length
        bool meant
        bool sgl
        pyn_buffer **named
        uint32_t num_named
        pyn_metadata metadata
        bool stamp
        void *user

    struct pyn_completed:
        nvme_cpl cpl
        nvme_cmd cmd
        void *user
        bool timed_out
        bool mismatch
        uint8_t csi
        bool asynchronous
        uint32_t aborts
        uint64_t latency_ns
        pyn_mismatch found

    int pyn_admin_submit(pyn_device *device, pyn_command *command, uint16_t *cid, pyn_error *err)
    unsigned pyn_admin_wait(pyn_device *device, pyn_completed *completed, unsigned max, uint64_t budget_us)
    bool pyn_admin_wait_event(pyn_device *device, pyn_completed *completed, uint64_t budget_us)
    pyn_cmdlog *pyn_inflight_cmdlog(const pyn_inflight *inflight)
    int pyn_inflight_keep(pyn_inflight *inflight, uint32_t size, uint32_t count, pyn_error *err)
    uint32_t pyn_inflight_kept(pyn_inflight *inflight, uint64_t number, void *into, uint32_t size)
    uint32_t pyn_inflight_kept_size(pyn_inflight *inflight)
    unsigned pyn_inflight_outstanding(pyn_inflight *inflight)
    unsigned pyn_inflight_events(pyn_inflight *inflight)
    uint32_t pyn_inflight_aborts(const pyn_inflight *inflight)

    # -- I/O queues -------------------------------------------------------------------------------------
    struct pyn_io_qpair:
        uint16_t qid
        uint16_t depth
        uint32_t process
        pyn_inflight *inflight

    struct pyn_io_qpair_config:
        uint16_t depth
        uint8_t priority
        bool interrupts
        uint16_t vector
        bool for_worker
        bool cmb_sq
        bool cmb_cq

    int pyn_device_cmb_info(pyn_device *device, pyn_cmb_info *info, pyn_error *err)
    int pyn_io_qpair_create(pyn_device *device, const pyn_io_qpair_config *config, pyn_io_qpair **queue,
                            pyn_error *err)
    int pyn_io_qpair_delete(pyn_io_qpair *queue, pyn_error *err)
    void pyn_io_qpair_free(pyn_io_qpair *queue)
    bool pyn_io_qpair_exists(const pyn_io_qpair *queue)
    int pyn_io_qpair_interrupted(pyn_io_qpair *queue, bool *is_set, pyn_error *err)
    int pyn_io_qpair_interrupt_clear(pyn_io_qpair *queue, pyn_error *err)
    int pyn_io_qpair_interrupt_mask(pyn_io_qpair *queue, bool masked, pyn_error *err)
    unsigned pyn_io_wait(pyn_io_qpair *queue, pyn_completed *completed, unsigned max, uint64_t budget_us)

    # -- namespaces -------------------------------------------------------------------------------------
    struct pyn_protection:
        uint8_t type
        uint8_t guard
        uint8_t sts
        bool first
        uint16_t ms

    struct pyn_layout:
        pyn_protection protection
        bool extended

    struct pyn_namespace:
        pyn_verify *verify
        uint32_t nsid
        uint32_t lba_size
        pyn_layout layout
        uint64_t nsze
        uint64_t zone_size
        uint64_t capacity
        bool verify_enabled
        bool keys

    struct pyn_namespace_answer:
        pass

    int pyn_namespace_open(pyn_device *device, uint32_t nsid, uint64_t nlba_verify, pyn_namespace **ns,
                           pyn_error *err)
    int pyn_namespace_open_keys(pyn_device *device, uint32_t nsid, pyn_namespace **ns, pyn_error *err)
    void pyn_namespace_free(pyn_namespace *ns)
    int pyn_namespace_save(pyn_namespace *ns, const char *path, pyn_saved *saved, pyn_error *err)
    int pyn_namespace_load(pyn_namespace *ns, const char *path, bool trust_counts, pyn_saved *saved, pyn_error *err)
    uint32_t pyn_namespace_lba_bytes(const pyn_namespace *ns, uint32_t cdw12)
    int pyn_namespace_check_other(pyn_namespace *ns, const nvme_cmd *cmd, pyn_metadata *metadata, pyn_error *err)
    const void *pyn_namespace_identify(const pyn_namespace *ns)
    bool pyn_namespace_is_current(const pyn_namespace *ns)
    int pyn_namespace_ask(pyn_namespace *ns, pyn_namespace_answer *answer, pyn_error *err)
    int pyn_namespace_take(pyn_namespace *ns, pyn_namespace_answer *answer, pyn_error *err)
    bool pyn_track_is_unknown(uint8_t opcode)
    int pyn_io_submit(pyn_io_qpair *queue, pyn_namespace *ns, pyn_command *command, uint16_t *cid, pyn_error *err)

    # -- IO workers -------------------------------------------------------------------------------------
    enum:
        PYN_END_RESET
        PYN_END_POWER
        PYN_END_CLOSE

    enum:
        PYN_WORKER_OK
        PYN_WORKER_INIT
        PYN_WORKER_MDTS
        PYN_WORKER_TIMEOUT
        PYN_WORKER_GONE
        PYN_WORKER_TOO_SLOW

    struct pyn_workload_step:
        uint64_t time_us
        uint64_t slba
        uint32_t nlb
        uint32_t opcode

    enum:
        PYN_WORKLOAD_SIZES

    enum pyn_skew_kind:
        PYN_SKEW_NONE

    struct pyn_workload_config:
        uint32_t sizes
        uint32_t io_size[4096]
        uint32_t lba_align[4096]
        uint32_t weight[4096]
        uint32_t ops
        uint8_t opcode[16]
        uint8_t percentage[16]
        uint32_t random_percentage
        bool contiguous
        bool fill
        int64_t step
        uint64_t region_start
        uint64_t region_end
        uint64_t lba_start
        bool has_distribution
        uint32_t distribution[100]
        pyn_skew_kind skew
        double skew_parameter

    enum:
        PYN_REGIONS
        PYN_PLACEMENTS
        PYN_FOUND_WINDOWS

    struct pyn_region:
        uint64_t start
        uint64_t past

    struct pyn_extra_config:
        bool poisson
        bool by_opcode
        bool from_due
        bool continue_on_error
        uint64_t think_ns
        uint64_t think_ios
        uint64_t max_latency_ns
        uint64_t history_ns
        uint64_t history_words
        uint32_t steady_seconds
        uint64_t target_ns
        uint64_t target_window_ns
        double target_percentage
        uint32_t compress
        uint32_t sgl_percentage
        uint32_t placements
        uint8_t directive
        bool placement_random
        uint16_t placement[256]
        uint32_t regions
        pyn_region region[64]

    struct pyn_found_window:
        uint32_t depth
        uint64_t ios
        uint64_t ticks
        uint64_t latency

    struct pyn_found:
        bool is_steady
        bool is_depth_found
        uint32_t depth
        uint32_t windows
        pyn_found_window window[16]

    struct pyn_history:
        uint64_t intervals
        uint64_t used
        bool is_full

    const uint64_t *pyn_history_words(const pyn_history *history)

    struct pyn_worker_metadata:
        pyn_layout layout
        uint32_t data_size
        uint32_t prinfo
        uint32_t prinfo_of_append
        uint32_t prinfo_of_zeroes
        uint32_t cdw2
        uint32_t cdw3
        uint32_t cdw14
        uint32_t cdw15
        bool counts_lbas

    struct pyn_zones_config:
        bool on
        bool read_beyond_wp
        bool variable
        uint64_t size
        uint32_t max_open
        uint32_t drive_active
        uint32_t drive_open
        uint64_t skip
        double reset_threshold
        double reset_frequency

    struct pyn_worker_config:
        pyn_workload_config workload
        uint32_t nsid
        uint32_t lba_size
        uint64_t nlba
        uint64_t io_count
        uint64_t time_ns
        double iops
        uint16_t qdepth
        uint8_t priority
        uint32_t ptype
        uint32_t pvalue
        bool fw_debug
        bool check
        bool track
        int cpu
        uint64_t seed
        uint32_t seconds
        uint32_t log_entries
        uint32_t steps
        const pyn_workload_step *sequence
        pyn_extra_config extra
        pyn_worker_metadata metadata
        pyn_zones_config zones

    struct pyn_worker_result:
        int error
        uint16_t status
        int signal
        uint32_t ended_by
        uint64_t io_count[16]
        uint64_t ticks
        uint64_t busy_ticks
        uint64_t mismatched_reads
        pyn_mismatch mismatch
        pyn_verify_counts verified
        uint64_t failed_ios
        pyn_found found

    enum:
        PYN_HISTOGRAM_BUCKETS

    struct pyn_histogram:
        uint64_t count
        uint64_t max
        uint64_t buckets[7424]

    struct pyn_worker_shared:
        uint64_t sent
        uint64_t completed
        uint64_t per_second_count
        const pyn_histogram *from_due
        pyn_histogram latency

    struct pyn_worker:
        pass

    bool pyn_worker_sends(uint8_t opcode)
    int pyn_worker_create(pyn_device *device, const pyn_worker_config *config, pyn_verify *verify,
                          pyn_worker **worker, int *result, pyn_error *err)
    int pyn_worker_start(pyn_worker *worker, pyn_error *err)
    bool pyn_worker_wait(pyn_worker *worker, uint32_t budget_ms)
    void pyn_worker_stop(pyn_worker *worker)
    void pyn_worker_kill(pyn_worker *worker)
    void pyn_worker_finish(pyn_worker *worker, pyn_worker_result *result)
    void pyn_worker_free(pyn_worker *worker)
    int pyn_worker_pid(const pyn_worker *worker)
    uint16_t pyn_worker_qid(const pyn_worker *worker)
    const pyn_worker_shared *pyn_worker_shared_block "pyn_worker_shared"(const pyn_worker *worker)
    const uint32_t *pyn_worker_per_second(const pyn_worker *worker)
    const pyn_cmdlog *pyn_worker_cmdlog(const pyn_worker *worker)
    const pyn_histogram *pyn_worker_by_opcode(const pyn_worker *worker)
    const pyn_history *pyn_worker_history(const pyn_worker *worker)
    uint64_t pyn_histogram_highest(uint32_t index)
    void pyn_histogram_init(pyn_histogram *histogram)
    void pyn_histogram_record(pyn_histogram *histogram, uint64_t value)
    double pyn_histogram_mean(const pyn_histogram *histogram)
    uint64_t pyn_histogram_lowest(uint32_t index)
    uint64_t pyn_histogram_percentile(const pyn_histogram *histogram, double percentage)
    void pyn_histogram_to_us(const pyn_histogram *histogram, uint64_t hz, uint64_t *counts, size_t size)
