/* SPDX-License-Identifier: BSD-3-Clause */
/* Our names in spec/nvme_*.h and those of libnvme's nvme/types.h. No include guard: it is included twice. */
/* clang-format off */

/*
 * libnvme has no counterpart of these: nvme_cpl (the kernel reads completions); NVME_CAP_CPS and NVME_CAP_NSSS;
 * NVME_REG_DOORBELLS; NVME_NSSR_RESET, NVME_NSSD_NORMAL and NVME_NSSD_ABRUPT; NVME_NSID_LAST;
 * NVME_FNA_NO_BROADCAST and NVME_VWC_FLUSH_NOT_ALL;
 * NVME_LOG_LSUPP, NVME_LOG_IOS and NVME_LOG_RAE; NVME_SET_FEATURES_SV; NVME_FEATURE_SAVEABLE, NVME_FEATURE_PER_NS and
 * NVME_FEATURE_CHANGEABLE; NVME_EVENT_IMMEDIATE; NVME_HMB_MR and nvme_hmb_descriptor; NVME_FUSE, NVME_FUSE_FIRST,
 * NVME_FUSE_SECOND, NVME_PSDT, NVME_PSDT_SGL and NVME_PSDT_MPTR_SGL; NVME_SGLS_BYTES and NVME_SGLS_DWORDS (its mask has both
 * bits); of Sanitize's command dword 10 NVME_SANITIZE_ACTION, NVME_SANITIZE_AUSE,
 * NVME_SANITIZE_OWPASS_SHIFT, NVME_SANITIZE_OIPBP and NVME_SANITIZE_NDAS; NVME_FWUG_UNIT; NVME_FW_SLOT_MASK
 * and NVME_FW_ACTION_SHIFT; NVME_FRMW_SLOTS_SHIFT (its mask has two bits of the three); the versions NVME_1_0, NVME_1_1,
 * NVME_1_2, NVME_1_2_1, NVME_1_3, NVME_1_4 and NVME_2_0; NVME_IO_CANCEL, which came after 2.0.
 * It has none of the queues that its drivers make: NVME_QUEUE_PC, NVME_QUEUE_IEN, NVME_QUEUE_QPRIO_SHIFT,
 * NVME_QPRIO_URGENT, NVME_QPRIO_HIGH, NVME_QPRIO_MEDIUM and NVME_QPRIO_LOW; nor of the Key Value Command Set: NVME_KV_STORE,
 * NVME_KV_RETRIEVE, NVME_KV_LIST, NVME_KV_DELETE, NVME_KV_EXIST, NVME_SC_INVALID_VALUE_SIZE, NVME_SC_INVALID_KEY_SIZE,
 * NVME_SC_KEY_DOES_NOT_EXIST, NVME_SC_UNRECOVERED_ERROR and NVME_SC_KEY_EXISTS; nor what a Lockdown command names:
 * NVME_LOCKDOWN_ADMIN, NVME_LOCKDOWN_FEATURE, NVME_LOCKDOWN_MI, NVME_LOCKDOWN_PCIE, NVME_LOCKDOWN_BY_ADMIN_QUEUE,
 * NVME_LOCKDOWN_BY_ADMIN_QUEUE_AND_OUT_OF_BAND and NVME_LOCKDOWN_BY_OUT_OF_BAND.
 * Of streams, zones and reservations it has no NVME_SC_STREAM_ALLOCATION_FAILED, NVME_ZOC_VARIABLE_CAPACITY,
 * NVME_OZCS_READ_ACROSS, NVME_OZCS_ZRWA, NVME_ZRWACAP_EXPLICIT_FLUSH and NVME_RESCAP_IEKEY.
 * These came after 2.0: NVME_ADMIN_TRACK_SEND, NVME_ADMIN_TRACK_RECEIVE, NVME_ADMIN_MIGRATION_SEND,
 * NVME_ADMIN_MIGRATION_RECEIVE and NVME_ADMIN_CONTROLLER_DATA_QUEUE; NVME_SELF_TEST_HOST_INITIATED_REFRESH and
 * NVME_SANITIZE_EXIT_MEDIA_VERIFICATION; the statuses NVME_SC_INVALID_KEY_TAG, NVME_SC_DISPERSED_NS_NOT_ENABLED,
 * NVME_SC_HOST_ID_NOT_INITIALIZED, NVME_SC_INCORRECT_KEY, NVME_SC_FDP_DISABLED,
 * NVME_SC_INVALID_PLACEMENT_HANDLE_LIST, NVME_SC_NS_IS_DISPERSED, NVME_SC_INVALID_CONTROLLER_DATA_QUEUE,
 * NVME_SC_NOT_ENOUGH_RESOURCES, NVME_SC_CONTROLLER_SUSPENDED, NVME_SC_CONTROLLER_NOT_SUSPENDED,
 * NVME_SC_CONTROLLER_DATA_QUEUE_FULL, NVME_SC_INCOMPATIBLE_NAMESPACE, NVME_SC_FAST_COPY_NOT_POSSIBLE,
 * NVME_SC_OVERLAPPING_IO_RANGE, NVME_SC_NAMESPACE_NOT_REACHABLE, NVME_SC_INSUFFICIENT_RESOURCES and
 * NVME_SC_INVALID_COMMAND_ID, and those of discovery controllers, NVME_SC_INVALID_DISCOVERY_INFORMATION,
 * NVME_SC_ZONING_DATA_STRUCTURE_LOCKED, NVME_SC_ZONING_DATA_STRUCTURE_NOT_FOUND,
 * NVME_SC_INSUFFICIENT_DISCOVERY_RESOURCES, NVME_SC_REQUESTED_FUNCTION_DISABLED,
 * NVME_SC_ZONEGROUP_ORIGINATOR_INVALID, NVME_SC_INVALID_HOST and NVME_SC_INVALID_NVM_SUBSYSTEM; NVME_2_1;
 * NVME_BOOT_UNCHANGED, NVME_BOOT_UNLOCKED, NVME_BOOT_LOCKED, NVME_BOOT_LOCKED_UNTIL_POWER_CYCLE, NVME_BOOT_BY_RPMB,
 * NVME_FEAT_BOOT_WRITE_PROTECTION, NVME_FEAT_EMBEDDED_MGMT_ADDRESS, NVME_FEAT_HOST_MGMT_ADDRESS,
 * NVME_FEAT_NS_ADMIN_LABEL and NVME_FEAT_POWER_LOSS_SIGNALING; NVME_LOG_CHANGED_ALLOCATED_NS, NVME_OAES_ALLOCATED_NS,
 * NVME_LOG_MANAGEMENT_ADDRESSES, NVME_LOG_REACHABILITY_ASSOCIATIONS and NVME_LOG_REACHABILITY_GROUPS, and
 * nvme_reachability_group and nvme_reachability_groups_log, nvme_reachability_association,
 * nvme_reachability_associations_log, nvme_dispersed_ns_log, nvme_management_address and nvme_management_addresses_log;
 * NVME_CNS_UNDERLYING_NS_LIST, NVME_CNS_PORTS_LIST, NVME_CNS_ALLOCATED_NS_INDEPENDENT and
 * NVME_CNS_CONTROLLER_STATE_FORMATS, nvme_underlying_ns, nvme_underlying_ns_list, nvme_port, nvme_ports_list and
 * nvme_controller_state_formats; NVME_EVENT_ALLOCATED_NS_CHANGED,
 * NVME_EVENT_REACHABILITY_ASSOCIATION and NVME_EVENT_REACHABILITY_GROUP; NVME_PERSISTENT_VERIFICATION; the states
 * NVME_SANITIZE_STATE_IDLE, NVME_SANITIZE_STATE_MEDIA_VERIFICATION,
 * NVME_SANITIZE_STATE_POST_VERIFICATION_DEALLOCATION, NVME_SANITIZE_STATE_RESTRICTED_FAILURE,
 * NVME_SANITIZE_STATE_RESTRICTED_PROCESSING, NVME_SANITIZE_STATE_UNRESTRICTED_FAILURE and
 * NVME_SANITIZE_STATE_UNRESTRICTED_PROCESSING; nvme_copy_range_2 and nvme_copy_range_3; nvme_ns_management_data;
 * NVME_PIC_CHECK_READ and NVME_PIC_STORAGE_TAG_16; NVME_SANICAP_VERS, NVME_SANITIZE_EMVS, NVME_SANITIZE_MVCNCLD and
 * NVME_EVENT_MEDIA_VERIFICATION.
 * It has no operations of Capacity Management: NVME_CAPACITY_SELECT_CONFIGURATION,
 * NVME_CAPACITY_CREATE_ENDURANCE_GROUP, NVME_CAPACITY_DELETE_ENDURANCE_GROUP, NVME_CAPACITY_CREATE_NVM_SET and
 * NVME_CAPACITY_DELETE_NVM_SET; nor flags of an LBA status: NVME_LBA_STATUS_UNREADABLE and NVME_LBA_STATUS_MARKED.
 * Nor has it what came with 2.3: NVME_CTRATT_PLS and NVME_CTRATT_PMS; NVME_EVENT_ONE_SHOT,
 * NVME_EVENT_DATA_QUEUE_TAIL, NVME_EVENT_DATA_QUEUE_FULL and NVME_EVENT_POWER_THRESHOLD; NVME_FEAT_POWER_LIMIT,
 * NVME_FEAT_POWER_THRESHOLD and NVME_FEAT_POWER_MEASUREMENT with NVME_POWER_LIMIT_PLV, NVME_POWER_THRESHOLD_EPT,
 * NVME_POWER_MEASUREMENT_ACT and NVME_POWER_MEASUREMENT_PMTS; NVME_LOG_POWER_MEASUREMENT with
 * nvme_power_measurement_log, nvme_power_histogram, NVME_PMA_PME, NVME_PMA_EPF and NVME_PMA_MIPWRTS; and
 * NVME_SC_INVALID_POWER_LIMIT; nor NVME_SPINUP_CONTROL and NVME_EGFEAT_ROTATIONAL of rotational media, and
 * NVME_NSFEAT_RMEDIA.
 * Its first releases have none of these: NVME_LOG_DISPERSED_NS, NVME_LOG_LOCKDOWN, NVME_LOG_ROTATIONAL_MEDIA,
 * nvme_lockdown_log and nvme_rotational_media_log; NVME_REG_CMBEBS, NVME_REG_CMBSWTP,
 * NVME_REG_NSSD, NVME_CSTS_ST_SHIFT and NVME_CSTS_ST_WIDTH;
 * NVME_CNTRLTYPE_NOT_REPORTED; NVME_EVENT_ZONE_CHANGED; NVME_DULBE; NVME_PIF_GUARD16, NVME_PIF_GUARD32,
 * NVME_PIF_GUARD64 and NVME_PIF_QUALIFIED; NVME_PERSISTENT_TCG and NVME_PERSISTENT_VENDOR.
 * It has no SGLs, which the kernel makes: NVME_SGL_BIT_BUCKET, NVME_SGL_DATA_BLOCK, NVME_SGL_KEYED_DATA_BLOCK,
 * NVME_SGL_LAST_SEGMENT, NVME_SGL_SEGMENT, NVME_SGL_TRANSPORT_DATA_BLOCK, NVME_SGL_VENDOR and nvme_sgl_descriptor;
 * nothing of the Key Value Command Set: nvme_id_ns_kv and nvme_kvf; and of NVMe-MI the commands that it does not send:
 * NVME_MI_CONTROLLER_HEALTH_STATUS_POLL, NVME_MI_VPD_READ, NVME_MI_VPD_WRITE, NVME_MI_RESET, NVME_MI_SES_RECEIVE,
 * NVME_MI_SES_SEND, NVME_MI_ENDPOINT_BUFFER_READ, NVME_MI_ENDPOINT_BUFFER_WRITE and NVME_MI_SHUTDOWN; nor the control
 * primitives NVME_MI_PRIMITIVE_PAUSE, NVME_MI_PRIMITIVE_RESUME, NVME_MI_PRIMITIVE_ABORT, NVME_MI_PRIMITIVE_GET_STATE and
 * NVME_MI_PRIMITIVE_REPLAY; nor the PCIe commands NVME_MI_PCIE_CONFIG_READ, NVME_MI_PCIE_CONFIG_WRITE,
 * NVME_MI_PCIE_MEMORY_READ, NVME_MI_PCIE_MEMORY_WRITE, NVME_MI_PCIE_IO_READ and NVME_MI_PCIE_IO_WRITE.
 * nvme_fdp_events_log ends with an array of theirs that is as long as the log page, nvme_host_metadata with a union, and
 * its functions take the keys of nvme_reservation_keys as numbers.
 */

/* ---- structures ---- */

/* The kernel's pass-through command is a submission queue entry, whose data pointer is an address and two lengths. */
LIKE(nvme_cmd, nvme_passthru_cmd)
	FIELD(opc, opcode) SAME(flags) FIELD(cid, rsvd1) SAME(nsid) SAME(cdw2) SAME(cdw3) FIELD(mptr, metadata)
	FIELD(prp1, addr) OFFSET(prp2, metadata_len) SAME(cdw10) SAME(cdw11) SAME(cdw12) SAME(cdw13) SAME(cdw14)
	SAME(cdw15)
END

STRUCT(nvme_dsm_range, nvme_dsm_range)
	FIELD(attr, cattr) SAME(nlb) SAME(slba)
END

/* libnvme has the application tag and its mask the other way round. */
STRUCT(nvme_copy_range, nvme_copy_range)
	RESERVED(rsvd0) SAME(slba) SAME(nlb) RESERVED(rsvd18) FIELD(elbt, eilbrt) RESERVED(elbat) RESERVED(elbatm)
END

STRUCT(nvme_power_state, nvme_id_psd)
	SAME(mp) RESERVED(rsvd2) SAME(flags) SAME(enlat) SAME(exlat) SAME(rrt) SAME(rrl) SAME(rwt) SAME(rwl) SAME(idlp)
	SAME(ips) RESERVED(rsvd19) SAME(actp) SAME(apws) RESERVED(epfrt) RESERVED(fqvt) RESERVED(epfvt)
	RESERVED(epfr_fqv_ts) RESERVED(epfvts) RESERVED(rsvd28)
END

STRUCT(nvme_id_ctrl, nvme_id_ctrl)
	SAME(vid) SAME(ssvid) SAME(sn) SAME(mn) SAME(fr) SAME(rab) SAME(ieee) SAME(cmic) SAME(mdts) SAME(cntlid)
	SAME(ver) SAME(rtd3r) SAME(rtd3e) SAME(oaes) SAME(ctratt) SAME(rrls) RESERVED(bpcap)
	RESERVED(rsvd103) RESERVED(nssl) RESERVED(rsvd108) RESERVED(plsi) SAME(cntrltype)
	SAME(fguid) SAME(crdt1) SAME(crdt2) SAME(crdt3) RESERVED(crcap) RESERVED(rsvd135) SAME(nvmsr) SAME(vwci) SAME(mec) SAME(oacs)
	SAME(acl) SAME(aerl) SAME(frmw) SAME(lpa) SAME(elpe) SAME(npss) SAME(avscc) SAME(apsta) SAME(wctemp)
	SAME(cctemp) SAME(mtfa) SAME(hmpre) SAME(hmmin) SAME(tnvmcap) SAME(unvmcap) SAME(rpmbs) SAME(edstt)
	SAME(dsto) SAME(fwug) SAME(kas) SAME(hctma) SAME(mntmt) SAME(mxtmt) SAME(sanicap) SAME(hmminds) SAME(hmmaxd)
	SAME(nsetidmax) SAME(endgidmax) SAME(anatt) SAME(anacap) SAME(anagrpmax) SAME(nanagrpid) SAME(pels)
	SAME(domainid) RESERVED(kpioc) RESERVED(rsvd359) RESERVED(mptfawr) RESERVED(rsvd362) SAME(megcap)
	RESERVED(tmpthha) RESERVED(mupa) RESERVED(cqt) RESERVED(rsvd388) RESERVED(mup) RESERVED(ipmsr)
	RESERVED(msmt) RESERVED(rsvd396) SAME(sqes) SAME(cqes) SAME(maxcmd) SAME(nn)
	SAME(oncs) SAME(fuses) SAME(fna) SAME(vwc) SAME(awun) SAME(awupf) SAME(icsvscc) SAME(nwpc) SAME(acwu)
	SAME(ocfs) SAME(sgls) SAME(mnan) SAME(maxdna) SAME(maxcna) RESERVED(oaqd) RESERVED(rhiri)
	RESERVED(hirt) RESERVED(cmmrtd) RESERVED(nmmrtd) RESERVED(minmrtg) RESERVED(maxmrtg) RESERVED(trattr)
	RESERVED(rsvd577) RESERVED(mcudmq) RESERVED(mnsudmq) RESERVED(mcmr) RESERVED(nmcmr) RESERVED(mcdqpc)
	RESERVED(rsvd588) SAME(subnqn) RESERVED(rsvd1024)
	SAME(ioccsz) SAME(iorcsz) SAME(icdoff) SAME(fcatt) SAME(msdbd) SAME(ofcs) SAME(dctype) RESERVED(rsvd1807)
	SAME(psd) SAME(vs)
END

STRUCT(nvme_lbaf, nvme_lbaf)
	SAME(ms) FIELD(lbads, ds) SAME(rp)
END

/* NULBAF and LBSTM came after 2.0. */
STRUCT(nvme_id_ns, nvme_id_ns)
	SAME(nsze) SAME(ncap) SAME(nuse) SAME(nsfeat) SAME(nlbaf) SAME(flbas) SAME(mc) SAME(dpc) SAME(dps) SAME(nmic)
	SAME(rescap) SAME(fpi) SAME(dlfeat) SAME(nawun) SAME(nawupf) SAME(nacwu) SAME(nabsn) SAME(nabo) SAME(nabspf)
	SAME(noiob) SAME(nvmcap) SAME(npwg) SAME(npwa) SAME(npdg) SAME(npda) SAME(nows) SAME(mssrl) SAME(mcl)
	SAME(msrc) RESERVED(kpios) RESERVED(nulbaf) RESERVED(rsvd83) RESERVED(kpiodaag) RESERVED(rsvd88)
	SAME(anagrpid) RESERVED(rsvd96) SAME(nsattr) SAME(nvmsetid) SAME(endgid)
	SAME(nguid) SAME(eui64) SAME(lbaf) RESERVED(vs)
END

STRUCT(nvme_ns_id_descriptor, nvme_ns_id_desc)
	SAME(nidt) SAME(nidl) RESERVED(rsvd2) TAIL(nid, nid)
END

STRUCT(nvme_id_ns_nvm, nvme_nvm_id_ns)
	SAME(lbstm) SAME(pic) RESERVED(pifa) RESERVED(rsvd10) SAME(elbaf) RESERVED(npdgl) RESERVED(nprg)
	RESERVED(npra) RESERVED(nors) RESERVED(npdal) RESERVED(lbapss) RESERVED(tlbaag) RESERVED(rsvd296)
END

STRUCT(nvme_zns_lbafe, nvme_zns_lbafe)
	SAME(zsze) SAME(zdes) RESERVED(rsvd9)
END

STRUCT(nvme_id_ns_zns, nvme_zns_id_ns)
	SAME(zoc) SAME(ozcs) SAME(mar) SAME(mor) SAME(rrl) SAME(frl) SAME(rrl1) SAME(rrl2) SAME(rrl3) SAME(frl1)
	SAME(frl2) SAME(frl3) SAME(numzrwa) SAME(zrwafg) SAME(zrwasz) SAME(zrwacap) RESERVED(rsvd53) SAME(lbafe) SAME(vs)
END

STRUCT(nvme_id_ctrl_nvm, nvme_id_ctrl_nvm)
	SAME(vsl) SAME(wzsl) SAME(wusl) SAME(dmrl) SAME(dmrsl) SAME(dmsl) RESERVED(kpiocap)
	RESERVED(wzdsl) RESERVED(aocs) RESERVED(ver) RESERVED(lbamqf) RESERVED(rsvd25)
END

STRUCT(nvme_id_ns_independent, nvme_id_independent_id_ns)
	SAME(nsfeat) SAME(nmic) SAME(rescap) SAME(fpi) SAME(anagrpid) SAME(nsattr) RESERVED(rsvd9) SAME(nvmsetid)
	SAME(endgid) SAME(nstat) RESERVED(kpios) RESERVED(maxkt) RESERVED(rsvd18) RESERVED(rgrpid) RESERVED(rsvd24)
END

STRUCT(nvme_supported_logs, nvme_supported_log_pages)
	FIELD(lids, lid_support)
END

STRUCT(nvme_error_log_entry, nvme_error_log_page)
	FIELD(ecnt, error_count) SAME(sqid) FIELD(cid, cmdid) FIELD(status, status_field)
	FIELD(pel, parm_error_location) SAME(lba) SAME(nsid) FIELD(vsia, vs) SAME(trtype) RESERVED(csi)
	RESERVED(opc) FIELD(csinfo, cs) FIELD(ttsi, trtype_spec_info) RESERVED(rsvd42) RESERVED(lpver)
END

STRUCT(nvme_smart_log, nvme_smart_log)
	FIELD(cw, critical_warning) FIELD(ctemp, temperature) FIELD(avsp, avail_spare) FIELD(avspt, spare_thresh)
	FIELD(pused, percent_used) FIELD(egcws, endu_grp_crit_warn_sumry) RESERVED(rsvd7) FIELD(dur, data_units_read)
	FIELD(duw, data_units_written) FIELD(hrc, host_reads) FIELD(hwc, host_writes) FIELD(cbt, ctrl_busy_time)
	FIELD(pwrc, power_cycles) FIELD(poh, power_on_hours) FIELD(upl, unsafe_shutdowns) FIELD(mdie, media_errors)
	FIELD(neile, num_err_log_entries) FIELD(wctt, warning_temp_time) FIELD(cctt, critical_comp_time)
	FIELD(tsen, temp_sensor) FIELD(tmt1tc, thm_temp1_trans_count) FIELD(tmt2tc, thm_temp2_trans_count)
	FIELD(ttmt1, thm_temp1_total_time) FIELD(ttmt2, thm_temp2_total_time) RESERVED(olec) RESERVED(ipm) RESERVED(rsvd244)
END

STRUCT(nvme_firmware_log, nvme_firmware_slot)
	SAME(afi) RESERVED(rsvd1) SAME(frs) RESERVED(rsvd64)
END

STRUCT(nvme_hmb_attributes, nvme_host_mem_buf_attrs)
	SAME(hsize) SAME(hmdlal) SAME(hmdlau) SAME(hmdlec) RESERVED(rsvd16)
END

STRUCT(nvme_self_test_result, nvme_st_result)
	SAME(dsts) FIELD(segn, seg) SAME(vdi) RESERVED(rsvd3) SAME(poh) SAME(nsid) SAME(flba) SAME(sct) SAME(sc)
	SAME(vs)
END

STRUCT(nvme_self_test_log, nvme_self_test_log)
	FIELD(cdsto, current_operation) FIELD(cdstc, completion) RESERVED(rsvd2) FIELD(results, result)
END

STRUCT(nvme_telemetry_log, nvme_telemetry_log)
	FIELD(lid, lpi) RESERVED(rsvd1) SAME(ieee) FIELD(da1lb, dalb1) FIELD(da2lb, dalb2) FIELD(da3lb, dalb3)
	RESERVED(rsvd14) FIELD(da4lb, dalb4) RESERVED(rsvd20) RESERVED(ths) FIELD(thdgn, hostdgn) FIELD(tcda, ctrlavail)
	FIELD(tcdgn, ctrldgn) FIELD(reasonid, rsnident) TAIL(blocks, data_area)
END

STRUCT(nvme_sanitize_log, nvme_sanitize_log_page)
	SAME(sprog) SAME(sstat) SAME(scdw10) SAME(eto) SAME(etbe) SAME(etce) SAME(etond) SAME(etbend) SAME(etcend)
	RESERVED(etpvds) RESERVED(ssi) RESERVED(rsvd37)
END

STRUCT(nvme_effects_log, nvme_cmd_effects_log)
	SAME(acs) SAME(iocs) RESERVED(rsvd2048)
END

STRUCT(nvme_feature_effects_log, nvme_fid_supported_effects_log)
	FIELD(fids, fid_support)
END

STRUCT(nvme_mi_effects_log, nvme_mi_cmd_supported_effects_log)
	FIELD(micss, mi_cmd_support) RESERVED(rsvd1024)
END

/* ETDAS and LBAFEE came after 1.4. */
STRUCT(nvme_host_behavior, nvme_feat_host_behavior)
	SAME(acre) RESERVED(etdas) RESERVED(lbafee) RESERVED(hdisns) RESERVED(cdfe) RESERVED(rsvd6)
END

STRUCT(nvme_ns_list, nvme_ns_list)
	FIELD(nsid, ns)
END

STRUCT(nvme_ctrl_list, nvme_ctrl_list)
	FIELD(numids, num) FIELD(cntlid, identifier)
END

STRUCT(nvme_nvm_set, nvme_nvmset_attr)
	SAME(nvmsetid) SAME(endgid) RESERVED(rsvd4) SAME(rr4kt) SAME(ows) SAME(tnvmsetcap) SAME(unvmsetcap)
	RESERVED(rsvd48)
END

STRUCT(nvme_nvm_set_list, nvme_id_nvmset_list)
	SAME(nid) RESERVED(rsvd1) FIELD(entry, ent)
END

STRUCT(nvme_primary_ctrl_caps, nvme_primary_ctrl_cap)
	SAME(cntlid) SAME(portid) SAME(crt) RESERVED(rsvd5) SAME(vqfrt) FIELD(vqrfa, vqrfa) SAME(vqrfap) SAME(vqprt)
	SAME(vqfrsm) SAME(vqgran) RESERVED(rsvd48) SAME(vifrt) SAME(virfa) SAME(virfap) SAME(viprt) SAME(vifrsm)
	SAME(vigran) RESERVED(rsvd80)
END

STRUCT(nvme_secondary_ctrl, nvme_secondary_ctrl)
	SAME(scid) SAME(pcid) SAME(scs) RESERVED(rsvd5) SAME(vfn) SAME(nvq) SAME(nvi) RESERVED(rsvd14)
END

STRUCT(nvme_secondary_ctrl_list, nvme_secondary_ctrl_list)
	SAME(num) RESERVED(rsvd1) FIELD(entry, sc_entry)
END

STRUCT(nvme_ns_granularity, nvme_id_ns_granularity_desc)
	SAME(nszegran) SAME(ncapgran)
END

STRUCT(nvme_ns_granularity_list, nvme_id_ns_granularity_list)
	SAME(attributes) FIELD(num, num_descriptors) RESERVED(rsvd5) SAME(entry) RESERVED(rsvd288)
END

STRUCT(nvme_uuid_entry, nvme_id_uuid_list_entry)
	SAME(header) RESERVED(rsvd1) SAME(uuid)
END

STRUCT(nvme_uuid_list, nvme_id_uuid_list)
	RESERVED(rsvd0) SAME(entry)
END

STRUCT(nvme_domain, nvme_id_domain_attr)
	FIELD(domainid, dom_id) RESERVED(rsvd2) FIELD(tdomaincap, dom_cap) FIELD(udomaincap, unalloc_dom_cap)
	FIELD(mdegcap, max_egrp_dom_cap) RESERVED(rsvd64)
END

STRUCT(nvme_domain_list, nvme_id_domain_list)
	SAME(num) RESERVED(rsvd1) FIELD(entry, domain_attr)
END

STRUCT(nvme_endurance_group_list, nvme_id_endurance_group_list)
	SAME(num) FIELD(endgid, identifier)
END

STRUCT(nvme_command_sets, nvme_id_iocs)
	SAME(iocsc)
END

STRUCT(nvme_id_ctrl_zns, nvme_zns_id_ctrl)
	SAME(zasl) RESERVED(rsvd1)
END

STRUCT(nvme_endurance_group_log, nvme_endurance_group_log)
	FIELD(cw, critical_warning) RESERVED(egfeat) RESERVED(rsvd2) FIELD(avsp, avl_spare)
	FIELD(avspt, avl_spare_threshold) FIELD(pused, percent_used) RESERVED(did) RESERVED(rsvd8)
	FIELD(ee, endurance_estimate) FIELD(dur, data_units_read) FIELD(duw, data_units_written)
	FIELD(muw, media_units_written) FIELD(hrc, host_read_cmds) FIELD(hwc, host_write_cmds)
	FIELD(mdie, media_data_integrity_err) FIELD(neile, num_err_info_log_entries) RESERVED(tegcap) RESERVED(uegcap)
	RESERVED(rsvd192)
END

STRUCT(nvme_predictable_latency_log, nvme_nvmset_predictable_lat_log)
	SAME(status) RESERVED(rsvd1) FIELD(evttype, event_type) RESERVED(rsvd4) FIELD(dtwinrt, dtwin_rt)
	FIELD(dtwinwt, dtwin_wt) FIELD(dtwintm, dtwin_tmax) FIELD(ndwintmh, ndwin_tmin_hi)
	FIELD(ndwintml, ndwin_tmin_lo) RESERVED(rsvd72) FIELD(dtwinre, dtwin_re) FIELD(dtwinwe, dtwin_we)
	FIELD(dtwinte, dtwin_te) RESERVED(rsvd152)
END

STRUCT(nvme_predictable_latency_events_log, nvme_aggregate_predictable_lat_event)
	FIELD(ne, num_entries) TAIL(entry, entries)
END

STRUCT(nvme_ana_group, nvme_ana_group_desc)
	FIELD(agid, grpid) FIELD(nnv, nnsids) FIELD(chngc, chgcnt) SAME(state) RESERVED(rsvd17) TAIL(nsid, nsids)
END

STRUCT(nvme_ana_log, nvme_ana_log)
	FIELD(chngc, chgcnt) FIELD(nagd, ngrps) RESERVED(rsvd10) TAIL(groups, descs)
END

STRUCT(nvme_persistent_event, nvme_persistent_event_entry)
	FIELD(et, etype) FIELD(etr, etype_rev) SAME(ehl) SAME(ehai) SAME(cntlid) SAME(ets) SAME(pelpid) RESERVED(rsvd16)
	SAME(vsil) SAME(el) RESERVED_TAIL(data)
END

STRUCT(nvme_persistent_event_log, nvme_persistent_event_log)
	SAME(lid) RESERVED(rsvd1) SAME(tnev) SAME(tll) FIELD(lrev, rv) RESERVED(rsvd17) SAME(lhl) SAME(ts) SAME(poh)
	SAME(pcc) SAME(vid) SAME(ssvid) SAME(sn) SAME(mn) SAME(subnqn) FIELD(gnum, gen_number) SAME(rci) RESERVED(rsvd378)
	SAME(seb) RESERVED_TAIL(events)
END

STRUCT(nvme_firmware_commit_event, nvme_fw_commit_event)
	FIELD(ofr, old_fw_rev) FIELD(nfr, new_fw_rev) FIELD(fca, fw_commit_action) FIELD(fs, fw_slot) FIELD(sct, sct_fw)
	FIELD(sc, sc_fw) FIELD(vafcrc, vndr_assign_fw_commit_rc)
END

STRUCT(nvme_timestamp_event, nvme_time_stamp_change_event)
	FIELD(pts, previous_timestamp) FIELD(msr, ml_secs_since_reset)
END

STRUCT(nvme_power_on_entry, nvme_power_on_reset_info_list)
	FIELD(cntlid, cid) FIELD(fwa, fw_act) FIELD(opip, op_in_prog) RESERVED(rsvd4) FIELD(cpc, ctrl_power_cycle)
	FIELD(poms, power_on_ml_seconds) FIELD(cts, ctrl_time_stamp)
END

STRUCT(nvme_change_ns_event, nvme_change_ns_event)
	FIELD(nsmcdw10, nsmgt_cdw10) RESERVED(rsvd4) SAME(nsze) RESERVED(rsvd16) SAME(nscap) SAME(flbas) SAME(dps)
	SAME(nmic) RESERVED(rsvd35) FIELD(anagrpid, ana_grp_id) FIELD(nvmsetid, nvmset_id) RESERVED(rsvd42) SAME(nsid)
END

STRUCT(nvme_format_start_event, nvme_format_nvm_start_event)
	SAME(nsid) SAME(fna) RESERVED(rsvd5) FIELD(fnvmcdw10, format_nvm_cdw10)
END

STRUCT(nvme_format_completion_event, nvme_format_nvm_compln_event)
	SAME(nsid) FIELD(sfpi, smallest_fpi) FIELD(fnvms, format_nvm_status) FIELD(cinf, compln_info)
	FIELD(status, status_field)
END

STRUCT(nvme_sanitize_start_event, nvme_sanitize_start_event)
	FIELD(sanicap, sani_cap) FIELD(scdw10, sani_cdw10) FIELD(scdw11, sani_cdw11)
END

STRUCT(nvme_sanitize_completion_event, nvme_sanitize_compln_event)
	FIELD(sprog, sani_prog) FIELD(sstat, sani_status) FIELD(cinf, cmpln_info) RESERVED(rsvd6)
END

STRUCT(nvme_thermal_event, nvme_thermal_exc_event)
	FIELD(ovt, over_temp) FIELD(thld, threshold)
END

STRUCT(nvme_lba_status_range, nvme_lba_rd)
	SAME(rslba) SAME(rnlb) RESERVED(rsvd12)
END

STRUCT(nvme_lba_status_ns, nvme_lbas_ns_element)
	SAME(neid) SAME(nlrd) SAME(ratype) RESERVED(rsvd9) TAIL(ranges, lba_rd)
END

STRUCT(nvme_lba_status_log, nvme_lba_status_log)
	SAME(lslplen) SAME(nlslne) SAME(estulb) RESERVED(rsvd12) SAME(lsgc) TAIL(elements, elements)
END

STRUCT(nvme_endurance_group_events_log, nvme_eg_event_aggregate_log)
	FIELD(ne, nr_entries) TAIL(entry, egids)
END

STRUCT(nvme_media_unit, nvme_media_unit_stat_desc)
	SAME(muid) FIELD(did, domainid) SAME(endgid) SAME(nvmsetid) FIELD(caf, cap_adj_fctr) FIELD(avsp, avl_spare)
	FIELD(pused, percent_used) SAME(mucs) SAME(cio)
END

STRUCT(nvme_media_unit_status_log, nvme_media_unit_stat_log)
	SAME(nmu) SAME(cchans) FIELD(scc, sel_config) RESERVED(rsvd6) TAIL(units, mus_desc)
END

STRUCT(nvme_capacity_configurations_log, nvme_supported_cap_config_list_log)
	SAME(sccn) RESERVED(rsvd1) TAIL(descriptors, cap_config_desc)
END

STRUCT(nvme_boot_partition_log, nvme_boot_partition)
	SAME(lid) RESERVED(rsvd1) SAME(bpinfo) RESERVED(rsvd8) TAIL(bpdata, boot_partition_data)
END

STRUCT(nvme_reservation_log, nvme_resv_notification_log)
	SAME(lpc) SAME(rnlpt) SAME(nalp) RESERVED(rsvd10) SAME(nsid) RESERVED(rsvd16)
END

STRUCT(nvme_changed_zones_log, nvme_zns_changed_zone_log)
	SAME(nrzid) RESERVED(rsvd2) FIELD(zslba, zid)
END

STRUCT(nvme_ruh, nvme_fdp_ruh_desc)
	SAME(ruht) RESERVED(rsvd1)
END

STRUCT(nvme_fdp_configuration, nvme_fdp_config_desc)
	FIELD(dsze, size) SAME(fdpa) SAME(vss) SAME(nrg) SAME(nruh) SAME(maxpids) FIELD(nns, nnss) SAME(runs)
	SAME(erutl) RESERVED(rsvd28) TAIL(ruh, ruhs)
END

STRUCT(nvme_fdp_configurations_log, nvme_fdp_config_log)
	FIELD(nfdpc, n) FIELD(ver, version) RESERVED(rsvd3) SAME(size) RESERVED(rsvd8) TAIL(configurations, configs)
END

STRUCT(nvme_ruh_usage, nvme_fdp_ruhu_desc)
	SAME(ruha) RESERVED(rsvd1)
END

STRUCT(nvme_fdp_usage_log, nvme_fdp_ruhu_log)
	SAME(nruh) RESERVED(rsvd2) TAIL(ruh, ruhus)
END

STRUCT(nvme_fdp_statistics_log, nvme_fdp_stats_log)
	SAME(hbmw) SAME(mbmw) SAME(mbe) RESERVED(rsvd48)
END

STRUCT(nvme_fdp_event, nvme_fdp_event)
	FIELD(et, type) FIELD(fdpef, flags) SAME(pid) FIELD(ets, ts) SAME(nsid) FIELD(ets_specific, type_specific)
	SAME(rgid) SAME(ruhid) RESERVED(rsvd35) SAME(vs)
END

STRUCT(nvme_lba_range_type, nvme_lba_range_type_entry)
	SAME(type) FIELD(attr, attributes) RESERVED(rsvd2) SAME(slba) SAME(nlb) SAME(guid) RESERVED(rsvd48)
END

STRUCT(nvme_lba_range_types, nvme_lba_range_type)
	FIELD(entries, entry)
END

STRUCT(nvme_apst, nvme_feat_auto_pst)
	FIELD(entries, apst_entry)
END

STRUCT(nvme_timestamp, nvme_timestamp)
	FIELD(tstmp, timestamp) SAME(attr) RESERVED(rsvd7)
END

STRUCT(nvme_predictable_latency_config, nvme_plm_config)
	SAME(ee) RESERVED(rsvd2) SAME(dtwinrt) SAME(dtwinwt) SAME(dtwintt) RESERVED(rsvd56)
END

STRUCT(nvme_fdp_event_support, nvme_fdp_supported_event_desc)
	SAME(evt) SAME(evta)
END

STRUCT(nvme_metadata_element, nvme_metadata_element_desc)
	FIELD(et, type) FIELD(er, rev) FIELD(elen, len) TAIL(eval, val)
END

/* The releases of libnvme differ in the order of the application tag and its mask. */
STRUCT(nvme_copy_range_1, nvme_copy_range_f1)
	RESERVED(rsvd0) SAME(slba) SAME(nlb) RESERVED(rsvd18) SAME(elbt) RESERVED(elbat) RESERVED(elbatm)
END

STRUCT(nvme_lba_status_descriptor, nvme_lba_status_desc)
	SAME(dslba) SAME(nlb) RESERVED(rsvd12) SAME(status) RESERVED(rsvd14)
END

STRUCT(nvme_lba_status_list, nvme_lba_status)
	SAME(nlsd) SAME(cmpc) RESERVED(rsvd5) TAIL(descriptors, descs)
END

STRUCT(nvme_zone_descriptor, nvme_zns_desc)
	SAME(zt) SAME(zs) SAME(za) SAME(zai) RESERVED(rsvd4) SAME(zcap) SAME(zslba) SAME(wp) RESERVED(rsvd32)
END

STRUCT(nvme_zone_report, nvme_zone_report)
	FIELD(nz, nr_zones) RESERVED(rsvd8) TAIL(zones, entries)
END

STRUCT(nvme_registered_ctrl, nvme_registered_ctrl)
	SAME(cntlid) SAME(rcsts) RESERVED(rsvd3) SAME(hostid) SAME(rkey)
END

STRUCT(nvme_registered_ctrl_ext, nvme_registered_ctrl_ext)
	SAME(cntlid) SAME(rcsts) RESERVED(rsvd3) SAME(rkey) SAME(hostid) RESERVED(rsvd32)
END

/* In theirs both forms are one union, which has the size of the longer one. */
LIKE(nvme_reservation_status, nvme_resv_status)
	SAME(gen) SAME(rtype) SAME(regctl) RESERVED(rsvd7) SAME(ptpls) RESERVED(rsvd10) TAIL(controllers, regctl_ds)
END

STRUCT(nvme_reservation_status_ext, nvme_resv_status)
	SAME(gen) SAME(rtype) SAME(regctl) RESERVED(rsvd7) SAME(ptpls) RESERVED(rsvd10) TAIL(controllers, regctl_eds)
END

STRUCT(nvme_directives, nvme_id_directives)
	SAME(supported) SAME(enabled) RESERVED(persistent) RESERVED(rsvd96)
END

STRUCT(nvme_streams_params, nvme_streams_directive_params)
	SAME(msl) SAME(nssa) SAME(nsso) SAME(nssc) RESERVED(rsvd7) SAME(sws) SAME(sgs) SAME(nsa) SAME(nso)
	RESERVED(rsvd26)
END

STRUCT(nvme_streams_status, nvme_streams_directive_status)
	SAME(osc) TAIL(sid, sid)
END

STRUCT(nvme_ruh_status, nvme_fdp_ruh_status_desc)
	SAME(pid) SAME(ruhid) SAME(earutr) SAME(ruamw) RESERVED(rsvd16)
END

STRUCT(nvme_ruh_status_list, nvme_fdp_ruh_status)
	RESERVED(rsvd0) SAME(nruhsd) TAIL(ruhs, ruhss)
END

STRUCT(nvme_mi_subsystem, nvme_mi_read_nvm_ss_info)
	SAME(nump) SAME(mjr) SAME(mnr) RESERVED(rsvd3)
END

STRUCT(nvme_mi_port, nvme_mi_read_port_info)
	FIELD(prttyp, portt) RESERVED(rsvd1) SAME(mmctptus) SAME(meb) FIELD(mps, pcie.mps) FIELD(slsv, pcie.sls)
	FIELD(cls, pcie.cls) FIELD(mlw, pcie.mlw) FIELD(nlw, pcie.nlw) FIELD(pn, pcie.pn) RESERVED(rsvd14)
END

STRUCT(nvme_mi_controller, nvme_mi_read_ctrl_info)
	SAME(portid) RESERVED(rsvd1) SAME(prii) SAME(pri) SAME(vid) SAME(did) SAME(ssvid) SAME(ssid) RESERVED(rsvd16)
END

STRUCT(nvme_mi_command, nvme_mi_osc)
	FIELD(cmdt, type) SAME(opc)
END

STRUCT(nvme_mi_command_list, nvme_mi_read_sc_list)
	SAME(numcmd) TAIL(commands, cmds)
END

STRUCT(nvme_mi_subsystem_health, nvme_mi_nvm_ss_health_status)
	SAME(nss) SAME(sw) SAME(ctemp) SAME(pdlu) SAME(ccs) RESERVED(rsvd6)
END

STRUCT(nvme_mi_controller_health, nvme_mi_ctrl_health_status)
	SAME(ctlid) SAME(csts) SAME(ctemp) SAME(pdlu) SAME(spare) SAME(cwarn) RESERVED(rsvd9)
END

STRUCT(nvme_group_configuration, nvme_end_grp_config_desc)
	SAME(endgid) FIELD(caf, cap_adj_factor) RESERVED(rsvd4) SAME(tegcap) SAME(segcap) FIELD(ee, end_est) RESERVED(rsvd64)
	SAME(egsets)
END

STRUCT(nvme_capacity_configuration, nvme_capacity_config_desc)
	FIELD(ccid, cap_config_id) FIELD(did, domainid) SAME(egcn) RESERVED(rsvd6)
END

#include "tests/c/spec/nvme_numbers.h"
