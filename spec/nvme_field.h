/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fields of commands, and how to read and write them.
 * Generated from spec/commands.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_FIELD_H
#define SPEC_NVME_FIELD_H

#include "spec/nvme_cmd.h"

/* Bits of a command dword. A field of 64 bits takes this dword and the next. */
#define NVME_FIELD(dword, low, width) ((dword) << 16 | (low) << 8 | (width))

enum nvme_field {
	NVME_FIELD_DELETE_SQ_QID = NVME_FIELD(10, 0, 16), /* queue identifier */
	NVME_FIELD_CREATE_SQ_QID = NVME_FIELD(10, 0, 16), /* queue identifier */
	NVME_FIELD_CREATE_SQ_QSIZE = NVME_FIELD(10, 16, 16), /* entries, 0's based */
	NVME_FIELD_CREATE_SQ_PC = NVME_FIELD(11, 0, 1), /* physically contiguous */
	NVME_FIELD_CREATE_SQ_QPRIO = NVME_FIELD(11, 1, 2), /* priority */
	NVME_FIELD_CREATE_SQ_CQID = NVME_FIELD(11, 16, 16), /* completion queue */
	NVME_FIELD_CREATE_SQ_NVMSETID = NVME_FIELD(12, 0, 16), /* NVM set */
	NVME_FIELD_GET_LOG_PAGE_LID = NVME_FIELD(10, 0, 8), /* log page identifier */
	NVME_FIELD_GET_LOG_PAGE_LSP = NVME_FIELD(10, 8, 7), /* log specific */
	NVME_FIELD_GET_LOG_PAGE_RAE = NVME_FIELD(10, 15, 1), /* retain the asynchronous event */
	/* how much is transferred, bits 15:0, dwords, 0's based */
	NVME_FIELD_GET_LOG_PAGE_NUMDL = NVME_FIELD(10, 16, 16),
	NVME_FIELD_GET_LOG_PAGE_NUMDU = NVME_FIELD(11, 0, 16), /* bits 31:16 */
	NVME_FIELD_GET_LOG_PAGE_LSI = NVME_FIELD(11, 16, 16), /* log specific identifier */
	NVME_FIELD_GET_LOG_PAGE_LPO = NVME_FIELD(12, 0, 64), /* offset, bytes, or an index where OT is set */
	NVME_FIELD_GET_LOG_PAGE_UIDX = NVME_FIELD(14, 0, 7), /* index into the UUID list */
	NVME_FIELD_GET_LOG_PAGE_OT = NVME_FIELD(14, 23, 1), /* LPO is an index */
	NVME_FIELD_GET_LOG_PAGE_CSI = NVME_FIELD(14, 24, 8), /* command set */
	NVME_FIELD_DELETE_CQ_QID = NVME_FIELD(10, 0, 16), /* queue identifier */
	NVME_FIELD_CREATE_CQ_QID = NVME_FIELD(10, 0, 16), /* queue identifier */
	NVME_FIELD_CREATE_CQ_QSIZE = NVME_FIELD(10, 16, 16), /* entries, 0's based */
	NVME_FIELD_CREATE_CQ_PC = NVME_FIELD(11, 0, 1), /* physically contiguous */
	NVME_FIELD_CREATE_CQ_IEN = NVME_FIELD(11, 1, 1), /* interrupts enabled */
	NVME_FIELD_CREATE_CQ_IV = NVME_FIELD(11, 16, 16), /* interrupt vector */
	NVME_FIELD_IDENTIFY_CNS = NVME_FIELD(10, 0, 8), /* controller or namespace structure */
	NVME_FIELD_IDENTIFY_CNTID = NVME_FIELD(10, 16, 16), /* controller */
	NVME_FIELD_IDENTIFY_CNSSID = NVME_FIELD(11, 0, 16), /* specific to CNS */
	NVME_FIELD_IDENTIFY_CSI = NVME_FIELD(11, 24, 8), /* command set */
	NVME_FIELD_IDENTIFY_UIDX = NVME_FIELD(14, 0, 7), /* index into the UUID list */
	NVME_FIELD_ABORT_SQID = NVME_FIELD(10, 0, 16), /* submission queue */
	NVME_FIELD_ABORT_CID = NVME_FIELD(10, 16, 16), /* the command to abort */
	NVME_FIELD_SET_FEATURES_FID = NVME_FIELD(10, 0, 8), /* feature identifier */
	NVME_FIELD_SET_FEATURES_SV = NVME_FIELD(10, 31, 1), /* save */
	NVME_FIELD_SET_FEATURES_VALUE = NVME_FIELD(11, 0, 32), /* the feature's dword 11 */
	NVME_FIELD_SET_FEATURES_UIDX = NVME_FIELD(14, 0, 7), /* index into the UUID list */
	NVME_FIELD_GET_FEATURES_FID = NVME_FIELD(10, 0, 8), /* feature identifier */
	NVME_FIELD_GET_FEATURES_SEL = NVME_FIELD(10, 8, 3), /* which value */
	NVME_FIELD_GET_FEATURES_UIDX = NVME_FIELD(14, 0, 7), /* index into the UUID list */
	NVME_FIELD_NS_MANAGEMENT_SEL = NVME_FIELD(10, 0, 4), /* operation */
	NVME_FIELD_NS_MANAGEMENT_CSI = NVME_FIELD(11, 24, 8), /* command set */
	NVME_FIELD_FW_COMMIT_FS = NVME_FIELD(10, 0, 3), /* firmware slot; 0: the drive chooses */
	NVME_FIELD_FW_COMMIT_CA = NVME_FIELD(10, 3, 3), /* commit action */
	NVME_FIELD_FW_COMMIT_BPID = NVME_FIELD(10, 31, 1), /* boot partition */
	NVME_FIELD_FW_DOWNLOAD_NUMD = NVME_FIELD(10, 0, 32), /* how much is transferred, dwords, 0's based */
	NVME_FIELD_FW_DOWNLOAD_OFST = NVME_FIELD(11, 0, 32), /* offset in the image, dwords */
	NVME_FIELD_SELF_TEST_STC = NVME_FIELD(10, 0, 4), /* self-test code */
	NVME_FIELD_NS_ATTACHMENT_SEL = NVME_FIELD(10, 0, 4), /* operation */
	NVME_FIELD_DIRECTIVE_SEND_NUMD = NVME_FIELD(10, 0, 32), /* how much is transferred, dwords, 0's based */
	NVME_FIELD_DIRECTIVE_SEND_DOPER = NVME_FIELD(11, 0, 8), /* operation */
	NVME_FIELD_DIRECTIVE_SEND_DTYPE = NVME_FIELD(11, 8, 8), /* directive */
	NVME_FIELD_DIRECTIVE_SEND_DSPEC = NVME_FIELD(11, 16, 16), /* directive specific */
	/* operation specific: ENDIR in bit 0, TDTYPE in bits 15:8 */
	NVME_FIELD_DIRECTIVE_SEND_VALUE = NVME_FIELD(12, 0, 32),
	NVME_FIELD_DIRECTIVE_RECEIVE_NUMD = NVME_FIELD(10, 0, 32), /* how much is transferred, dwords, 0's based */
	NVME_FIELD_DIRECTIVE_RECEIVE_DOPER = NVME_FIELD(11, 0, 8), /* operation */
	NVME_FIELD_DIRECTIVE_RECEIVE_DTYPE = NVME_FIELD(11, 8, 8), /* directive */
	NVME_FIELD_DIRECTIVE_RECEIVE_DSPEC = NVME_FIELD(11, 16, 16), /* directive specific */
	NVME_FIELD_DIRECTIVE_RECEIVE_VALUE = NVME_FIELD(12, 0, 32), /* operation specific: NSR in bits 15:0 */
	NVME_FIELD_VIRTUALIZATION_ACT = NVME_FIELD(10, 0, 4), /* action */
	NVME_FIELD_VIRTUALIZATION_RT = NVME_FIELD(10, 8, 3), /* resources: 0 queues, 1 interrupts */
	NVME_FIELD_VIRTUALIZATION_CNTLID = NVME_FIELD(10, 16, 16), /* controller */
	NVME_FIELD_VIRTUALIZATION_NR = NVME_FIELD(11, 0, 16), /* how many resources */
	NVME_FIELD_MI_SEND_MT = NVME_FIELD(10, 0, 7), /* MCTP message type: 4 */
	NVME_FIELD_MI_SEND_IC = NVME_FIELD(10, 7, 1), /* an integrity check follows */
	NVME_FIELD_MI_SEND_CSI = NVME_FIELD(10, 8, 1), /* command slot */
	NVME_FIELD_MI_SEND_NMIMT = NVME_FIELD(10, 11, 4), /* NVMe-MI message type: 1 MI command, 2 admin, 4 PCIe */
	NVME_FIELD_MI_SEND_ROR = NVME_FIELD(10, 15, 1), /* a response, not a request */
	NVME_FIELD_MI_SEND_OPC = NVME_FIELD(11, 0, 8), /* opcode of the MI command */
	NVME_FIELD_MI_SEND_NMD0 = NVME_FIELD(12, 0, 32), /* its dword 0 */
	NVME_FIELD_MI_SEND_NMD1 = NVME_FIELD(13, 0, 32), /* its dword 1 */
	NVME_FIELD_MI_RECEIVE_MT = NVME_FIELD(10, 0, 7), /* MCTP message type: 4 */
	NVME_FIELD_MI_RECEIVE_IC = NVME_FIELD(10, 7, 1), /* an integrity check follows */
	NVME_FIELD_MI_RECEIVE_CSI = NVME_FIELD(10, 8, 1), /* command slot */
	NVME_FIELD_MI_RECEIVE_NMIMT = NVME_FIELD(10, 11, 4), /* NVMe-MI message type: 1 MI command, 2 admin, 4 PCIe */
	NVME_FIELD_MI_RECEIVE_ROR = NVME_FIELD(10, 15, 1), /* a response, not a request */
	NVME_FIELD_MI_RECEIVE_OPC = NVME_FIELD(11, 0, 8), /* opcode of the MI command */
	NVME_FIELD_MI_RECEIVE_NMD0 = NVME_FIELD(12, 0, 32), /* its dword 0 */
	NVME_FIELD_MI_RECEIVE_NMD1 = NVME_FIELD(13, 0, 32), /* its dword 1 */
	NVME_FIELD_CAPACITY_MANAGEMENT_OPER = NVME_FIELD(10, 0, 4), /* operation */
	NVME_FIELD_CAPACITY_MANAGEMENT_ELID = NVME_FIELD(10, 16, 16), /* configuration, endurance group or NVM set */
	NVME_FIELD_CAPACITY_MANAGEMENT_CAP = NVME_FIELD(11, 0, 64), /* capacity, bytes */
	NVME_FIELD_LOCKDOWN_OFI = NVME_FIELD(10, 8, 8), /* opcode or feature identifier */
	NVME_FIELD_LOCKDOWN_SCP = NVME_FIELD(10, 0, 4), /* scope: the kind of OFI */
	NVME_FIELD_LOCKDOWN_PRHBT = NVME_FIELD(10, 4, 1), /* 1: prohibited, 0: allowed */
	NVME_FIELD_LOCKDOWN_IFC = NVME_FIELD(10, 5, 2), /* by which interface */
	NVME_FIELD_LOCKDOWN_UIDX = NVME_FIELD(14, 0, 7), /* index into the UUID list */
	NVME_FIELD_TRACK_SEND_SEL = NVME_FIELD(10, 0, 8), /* operation */
	NVME_FIELD_TRACK_SEND_LACT = NVME_FIELD(10, 16, 4), /* logging action: 1 start, 0 stop */
	NVME_FIELD_TRACK_SEND_CDQID = NVME_FIELD(11, 0, 16), /* controller data queue */
	NVME_FIELD_TRACK_RECEIVE_SEL = NVME_FIELD(10, 0, 8), /* selects: 0 tracked memory changes */
	NVME_FIELD_TRACK_RECEIVE_MOS = NVME_FIELD(10, 16, 16), /* management operation specific */
	NVME_FIELD_MIGRATION_SEND_SEL = NVME_FIELD(10, 0, 8), /* operation */
	NVME_FIELD_MIGRATION_SEND_SEQIND = NVME_FIELD(10, 16, 2), /* which part of the state, to set it */
	NVME_FIELD_MIGRATION_SEND_CNTLID = NVME_FIELD(11, 0, 16), /* controller */
	/* to suspend: 0 notify, 1 suspend; to set the state: CSVI, index of its version */
	NVME_FIELD_MIGRATION_SEND_STYPE = NVME_FIELD(11, 16, 8),
	/* to set the state: bits 6:0 of the index of the vendor's format */
	NVME_FIELD_MIGRATION_SEND_CSUUIDI = NVME_FIELD(11, 24, 7),
	/* to suspend: delete its user data migration queue; else bit 7 of CSUUIDI */
	NVME_FIELD_MIGRATION_SEND_DUDMQ = NVME_FIELD(11, 31, 1),
	NVME_FIELD_MIGRATION_SEND_CSO = NVME_FIELD(12, 0, 64), /* offset in the state, bytes */
	NVME_FIELD_MIGRATION_SEND_UIDX = NVME_FIELD(14, 0, 7), /* UUID index */
	NVME_FIELD_MIGRATION_SEND_NUMD = NVME_FIELD(15, 0, 32), /* length of the part, dwords */
	NVME_FIELD_MIGRATION_RECEIVE_SEL = NVME_FIELD(10, 0, 8), /* selects: 0 the controller's state */
	/* index of the version of the state; 0: without the state of the queues */
	NVME_FIELD_MIGRATION_RECEIVE_CSVI = NVME_FIELD(10, 16, 8),
	NVME_FIELD_MIGRATION_RECEIVE_CNTLID = NVME_FIELD(11, 0, 16), /* controller */
	NVME_FIELD_MIGRATION_RECEIVE_CSUUIDI = NVME_FIELD(11, 16, 8), /* index of the vendor's format; 0: none */
	NVME_FIELD_MIGRATION_RECEIVE_CSUIDXP = NVME_FIELD(11, 24, 8), /* parameter of the vendor's format */
	NVME_FIELD_MIGRATION_RECEIVE_CSO = NVME_FIELD(12, 0, 64), /* offset in the state, bytes */
	NVME_FIELD_MIGRATION_RECEIVE_UIDX = NVME_FIELD(14, 0, 7), /* UUID index */
	NVME_FIELD_MIGRATION_RECEIVE_NUMD = NVME_FIELD(15, 0, 32), /* length, dwords, 0's based */
	NVME_FIELD_CONTROLLER_DATA_QUEUE_SEL = NVME_FIELD(10, 0, 8), /* operation */
	/* type of the queue to create: 0 user data migration */
	NVME_FIELD_CONTROLLER_DATA_QUEUE_QT = NVME_FIELD(10, 16, 8),
	/* queue to delete; to create one, bit 0 (PC): it is physically contiguous */
	NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQID = NVME_FIELD(11, 0, 16),
	NVME_FIELD_CONTROLLER_DATA_QUEUE_CNTLID = NVME_FIELD(11, 16, 16), /* controller whose changes it gets */
	NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQSIZE = NVME_FIELD(12, 0, 32), /* size, dwords */
	NVME_FIELD_FORMAT_NVM_LBAFL = NVME_FIELD(10, 0, 4), /* index of the LBA format, bits 3:0 */
	NVME_FIELD_FORMAT_NVM_MSET = NVME_FIELD(10, 4, 1), /* metadata lie at the end of each LBA */
	NVME_FIELD_FORMAT_NVM_PI = NVME_FIELD(10, 5, 3), /* type of protection information */
	NVME_FIELD_FORMAT_NVM_PIL = NVME_FIELD(10, 8, 1), /* which is in the first bytes of the metadata */
	NVME_FIELD_FORMAT_NVM_SES = NVME_FIELD(10, 9, 3), /* secure erase */
	NVME_FIELD_FORMAT_NVM_LBAFU = NVME_FIELD(10, 12, 2), /* index of the LBA format, bits 5:4 */
	NVME_FIELD_SECURITY_SEND_NSSF = NVME_FIELD(10, 0, 8), /* specific to NVMe */
	NVME_FIELD_SECURITY_SEND_SPSP = NVME_FIELD(10, 8, 16), /* specific to the protocol */
	NVME_FIELD_SECURITY_SEND_SECP = NVME_FIELD(10, 24, 8), /* security protocol */
	NVME_FIELD_SECURITY_SEND_TL = NVME_FIELD(11, 0, 32), /* how much is transferred, bytes */
	NVME_FIELD_SECURITY_RECEIVE_NSSF = NVME_FIELD(10, 0, 8), /* specific to NVMe */
	NVME_FIELD_SECURITY_RECEIVE_SPSP = NVME_FIELD(10, 8, 16), /* specific to the protocol */
	NVME_FIELD_SECURITY_RECEIVE_SECP = NVME_FIELD(10, 24, 8), /* security protocol */
	NVME_FIELD_SECURITY_RECEIVE_AL = NVME_FIELD(11, 0, 32), /* how much there is room for, bytes */
	NVME_FIELD_SANITIZE_SANACT = NVME_FIELD(10, 0, 3), /* action */
	NVME_FIELD_SANITIZE_AUSE = NVME_FIELD(10, 3, 1), /* allow unrestricted sanitize exit */
	NVME_FIELD_SANITIZE_OWPASS = NVME_FIELD(10, 4, 4), /* overwrite passes; 0: 16 */
	NVME_FIELD_SANITIZE_OIPBP = NVME_FIELD(10, 8, 1), /* overwrite: invert the pattern between passes */
	NVME_FIELD_SANITIZE_NDAS = NVME_FIELD(10, 9, 1), /* no-deallocate after sanitize */
	NVME_FIELD_SANITIZE_EMVS = NVME_FIELD(10, 10, 1), /* enter media verification */
	NVME_FIELD_SANITIZE_OVRPAT = NVME_FIELD(11, 0, 32), /* overwrite pattern */
	NVME_FIELD_GET_LBA_STATUS_SLBA = NVME_FIELD(10, 0, 64), /* first LBA */
	NVME_FIELD_GET_LBA_STATUS_MNDW = NVME_FIELD(12, 0, 32), /* most that is returned, dwords, 0's based */
	NVME_FIELD_GET_LBA_STATUS_RL = NVME_FIELD(13, 0, 16), /* how many LBAs; 0: to the end */
	NVME_FIELD_GET_LBA_STATUS_ATYPE = NVME_FIELD(13, 24, 8), /* 10h: scan, 11h: tracked LBAs */
	NVME_FIELD_WRITE_SLBA = NVME_FIELD(10, 0, 64), /* first LBA */
	NVME_FIELD_WRITE_NLB = NVME_FIELD(12, 0, 16), /* how many LBAs, 0's based */
	NVME_FIELD_WRITE_DTYPE = NVME_FIELD(12, 20, 4), /* directive */
	NVME_FIELD_WRITE_STC = NVME_FIELD(12, 24, 1), /* check the storage tag */
	/* PRACT in bit 3, checks of guard, application and reference tag in bits 2:0 */
	NVME_FIELD_WRITE_PRINFO = NVME_FIELD(12, 26, 4),
	NVME_FIELD_WRITE_FUA = NVME_FIELD(12, 30, 1), /* force unit access */
	NVME_FIELD_WRITE_LR = NVME_FIELD(12, 31, 1), /* limited retry */
	NVME_FIELD_WRITE_DSM = NVME_FIELD(13, 0, 8), /* hints: frequency, latency, sequential, incompressible */
	/* directive specific: stream identifier or placement handle */
	NVME_FIELD_WRITE_DSPEC = NVME_FIELD(13, 16, 16),
	NVME_FIELD_WRITE_LBST = NVME_FIELD(14, 0, 32), /* expected initial reference tag and storage tag */
	NVME_FIELD_WRITE_LBAT = NVME_FIELD(15, 0, 16), /* expected application tag */
	NVME_FIELD_WRITE_LBATM = NVME_FIELD(15, 16, 16), /* mask of the application tag */
	NVME_FIELD_READ_SLBA = NVME_FIELD(10, 0, 64), /* first LBA */
	NVME_FIELD_READ_NLB = NVME_FIELD(12, 0, 16), /* how many LBAs, 0's based */
	NVME_FIELD_READ_STC = NVME_FIELD(12, 24, 1), /* check the storage tag */
	/* PRACT in bit 3, checks of guard, application and reference tag in bits 2:0 */
	NVME_FIELD_READ_PRINFO = NVME_FIELD(12, 26, 4),
	NVME_FIELD_READ_FUA = NVME_FIELD(12, 30, 1), /* force unit access */
	NVME_FIELD_READ_LR = NVME_FIELD(12, 31, 1), /* limited retry */
	NVME_FIELD_READ_DSM = NVME_FIELD(13, 0, 8), /* hints: frequency, latency, sequential, incompressible */
	NVME_FIELD_READ_LBST = NVME_FIELD(14, 0, 32), /* expected initial reference tag and storage tag */
	NVME_FIELD_READ_LBAT = NVME_FIELD(15, 0, 16), /* expected application tag */
	NVME_FIELD_READ_LBATM = NVME_FIELD(15, 16, 16), /* mask of the application tag */
	NVME_FIELD_WRITE_UNCORRECTABLE_SLBA = NVME_FIELD(10, 0, 64), /* first LBA */
	NVME_FIELD_WRITE_UNCORRECTABLE_NLB = NVME_FIELD(12, 0, 16), /* how many LBAs, 0's based */
	NVME_FIELD_WRITE_UNCORRECTABLE_DTYPE = NVME_FIELD(12, 20, 4), /* directive */
	/* directive specific: stream identifier or placement handle */
	NVME_FIELD_WRITE_UNCORRECTABLE_DSPEC = NVME_FIELD(13, 16, 16),
	NVME_FIELD_COMPARE_SLBA = NVME_FIELD(10, 0, 64), /* first LBA */
	NVME_FIELD_COMPARE_NLB = NVME_FIELD(12, 0, 16), /* how many LBAs, 0's based */
	NVME_FIELD_COMPARE_STC = NVME_FIELD(12, 24, 1), /* check the storage tag */
	/* PRACT in bit 3, checks of guard, application and reference tag in bits 2:0 */
	NVME_FIELD_COMPARE_PRINFO = NVME_FIELD(12, 26, 4),
	NVME_FIELD_COMPARE_FUA = NVME_FIELD(12, 30, 1), /* force unit access */
	NVME_FIELD_COMPARE_LR = NVME_FIELD(12, 31, 1), /* limited retry */
	NVME_FIELD_COMPARE_LBST = NVME_FIELD(14, 0, 32), /* expected initial reference tag and storage tag */
	NVME_FIELD_COMPARE_LBAT = NVME_FIELD(15, 0, 16), /* expected application tag */
	NVME_FIELD_COMPARE_LBATM = NVME_FIELD(15, 16, 16), /* mask of the application tag */
	NVME_FIELD_WRITE_ZEROES_SLBA = NVME_FIELD(10, 0, 64), /* first LBA */
	NVME_FIELD_WRITE_ZEROES_NLB = NVME_FIELD(12, 0, 16), /* how many LBAs, 0's based */
	NVME_FIELD_WRITE_ZEROES_DTYPE = NVME_FIELD(12, 20, 4), /* directive */
	NVME_FIELD_WRITE_ZEROES_STC = NVME_FIELD(12, 24, 1), /* check the storage tag */
	NVME_FIELD_WRITE_ZEROES_DEAC = NVME_FIELD(12, 25, 1), /* deallocate */
	/* PRACT in bit 3, checks of guard, application and reference tag in bits 2:0 */
	NVME_FIELD_WRITE_ZEROES_PRINFO = NVME_FIELD(12, 26, 4),
	NVME_FIELD_WRITE_ZEROES_FUA = NVME_FIELD(12, 30, 1), /* force unit access */
	NVME_FIELD_WRITE_ZEROES_LR = NVME_FIELD(12, 31, 1), /* limited retry */
	/* directive specific: stream identifier or placement handle */
	NVME_FIELD_WRITE_ZEROES_DSPEC = NVME_FIELD(13, 16, 16),
	NVME_FIELD_WRITE_ZEROES_LBST = NVME_FIELD(14, 0, 32), /* expected initial reference tag and storage tag */
	NVME_FIELD_WRITE_ZEROES_LBAT = NVME_FIELD(15, 0, 16), /* expected application tag */
	NVME_FIELD_WRITE_ZEROES_LBATM = NVME_FIELD(15, 16, 16), /* mask of the application tag */
	NVME_FIELD_DSM_NR = NVME_FIELD(10, 0, 8), /* how many ranges, 0's based */
	NVME_FIELD_DSM_IDR = NVME_FIELD(11, 0, 1), /* will be read as a whole */
	NVME_FIELD_DSM_IDW = NVME_FIELD(11, 1, 1), /* will be written as a whole */
	NVME_FIELD_DSM_AD = NVME_FIELD(11, 2, 1), /* deallocate */
	NVME_FIELD_VERIFY_SLBA = NVME_FIELD(10, 0, 64), /* first LBA */
	NVME_FIELD_VERIFY_NLB = NVME_FIELD(12, 0, 16), /* how many LBAs, 0's based */
	NVME_FIELD_VERIFY_STC = NVME_FIELD(12, 24, 1), /* check the storage tag */
	/* PRACT in bit 3, checks of guard, application and reference tag in bits 2:0 */
	NVME_FIELD_VERIFY_PRINFO = NVME_FIELD(12, 26, 4),
	NVME_FIELD_VERIFY_FUA = NVME_FIELD(12, 30, 1), /* force unit access */
	NVME_FIELD_VERIFY_LR = NVME_FIELD(12, 31, 1), /* limited retry */
	NVME_FIELD_VERIFY_LBST = NVME_FIELD(14, 0, 32), /* expected initial reference tag and storage tag */
	NVME_FIELD_VERIFY_LBAT = NVME_FIELD(15, 0, 16), /* expected application tag */
	NVME_FIELD_VERIFY_LBATM = NVME_FIELD(15, 16, 16), /* mask of the application tag */
	NVME_FIELD_RESERVATION_REGISTER_RREGA = NVME_FIELD(10, 0, 3), /* action */
	NVME_FIELD_RESERVATION_REGISTER_IEKEY = NVME_FIELD(10, 3, 1), /* ignore the existing key */
	NVME_FIELD_RESERVATION_REGISTER_CPTPL = NVME_FIELD(10, 30, 2), /* change of persistence through power loss */
	NVME_FIELD_RESERVATION_REPORT_NUMD = NVME_FIELD(10, 0, 32), /* how much is transferred, dwords, 0's based */
	NVME_FIELD_RESERVATION_REPORT_EDS = NVME_FIELD(11, 0, 1), /* extended data structure */
	NVME_FIELD_RESERVATION_ACQUIRE_RACQA = NVME_FIELD(10, 0, 3), /* action */
	NVME_FIELD_RESERVATION_ACQUIRE_IEKEY = NVME_FIELD(10, 3, 1), /* ignore the existing key */
	NVME_FIELD_RESERVATION_ACQUIRE_RTYPE = NVME_FIELD(10, 8, 8), /* type */
	NVME_FIELD_MANAGEMENT_RECEIVE_MO = NVME_FIELD(10, 0, 8), /* operation: 1 reclaim unit handle status */
	NVME_FIELD_MANAGEMENT_RECEIVE_MOS = NVME_FIELD(10, 16, 16), /* operation specific */
	NVME_FIELD_MANAGEMENT_RECEIVE_NUMD = NVME_FIELD(11, 0, 32), /* how much is transferred, dwords, 0's based */
	NVME_FIELD_RESERVATION_RELEASE_RRELA = NVME_FIELD(10, 0, 3), /* action */
	NVME_FIELD_RESERVATION_RELEASE_IEKEY = NVME_FIELD(10, 3, 1), /* ignore the existing key */
	NVME_FIELD_RESERVATION_RELEASE_RTYPE = NVME_FIELD(10, 8, 8), /* type */
	NVME_FIELD_CANCEL_SQID = NVME_FIELD(10, 0, 16), /* submission queue */
	NVME_FIELD_CANCEL_CID = NVME_FIELD(10, 16, 16), /* the command to abort; FFFFh: several */
	NVME_FIELD_CANCEL_ACT = NVME_FIELD(11, 0, 2), /* 0: one command, 1: several */
	NVME_FIELD_COPY_SDLBA = NVME_FIELD(10, 0, 64), /* first LBA of the destination */
	NVME_FIELD_COPY_NR = NVME_FIELD(12, 0, 8), /* how many source ranges, 0's based */
	NVME_FIELD_COPY_CDFMT = NVME_FIELD(12, 8, 4), /* format of the source ranges; 0h: struct nvme_copy_range */
	NVME_FIELD_COPY_PRINFOR = NVME_FIELD(12, 12, 4), /* PRINFO of the reads */
	NVME_FIELD_COPY_STCR = NVME_FIELD(12, 24, 1), /* check the storage tag of the reads */
	NVME_FIELD_COPY_STCW = NVME_FIELD(12, 25, 1), /* of the writes */
	NVME_FIELD_COPY_PRINFOW = NVME_FIELD(12, 26, 4), /* PRINFO of the writes */
	NVME_FIELD_COPY_DTYPE = NVME_FIELD(12, 20, 4), /* directive */
	NVME_FIELD_COPY_FUA = NVME_FIELD(12, 30, 1), /* force unit access */
	NVME_FIELD_COPY_LR = NVME_FIELD(12, 31, 1), /* limited retry */
	/* directive specific: stream identifier or placement handle */
	NVME_FIELD_COPY_DSPEC = NVME_FIELD(13, 16, 16),
	NVME_FIELD_COPY_LBST = NVME_FIELD(14, 0, 32), /* expected initial reference tag and storage tag */
	NVME_FIELD_COPY_LBAT = NVME_FIELD(15, 0, 16), /* expected application tag */
	NVME_FIELD_COPY_LBATM = NVME_FIELD(15, 16, 16), /* mask of the application tag */
	NVME_FIELD_MANAGEMENT_SEND_MO = NVME_FIELD(10, 0, 8), /* operation: 1 reclaim unit handle update */
	/* operation specific: how many placement identifiers, 0's based */
	NVME_FIELD_MANAGEMENT_SEND_MOS = NVME_FIELD(10, 16, 16),
	NVME_FIELD_ZONE_MGMT_SEND_SLBA = NVME_FIELD(10, 0, 64), /* first LBA of the zone */
	NVME_FIELD_ZONE_MGMT_SEND_ZSA = NVME_FIELD(13, 0, 8), /* action */
	NVME_FIELD_ZONE_MGMT_SEND_SELECTALL = NVME_FIELD(13, 8, 1), /* all zones */
	NVME_FIELD_ZONE_MGMT_SEND_ZSASO = NVME_FIELD(13, 9, 1), /* action specific: allocate a random write area */
	NVME_FIELD_ZONE_MGMT_RECEIVE_SLBA = NVME_FIELD(10, 0, 64), /* an LBA of the first zone */
	NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD = NVME_FIELD(12, 0, 32), /* how much is transferred, dwords, 0's based */
	NVME_FIELD_ZONE_MGMT_RECEIVE_ZRA = NVME_FIELD(13, 0, 8), /* selects the report */
	NVME_FIELD_ZONE_MGMT_RECEIVE_ZRASF = NVME_FIELD(13, 8, 8), /* zones of which state; 0: all */
	NVME_FIELD_ZONE_MGMT_RECEIVE_PARTIAL = NVME_FIELD(13, 16, 1), /* count only zones that are returned */
	NVME_FIELD_ZONE_APPEND_ZSLBA = NVME_FIELD(10, 0, 64), /* first LBA of the zone */
	NVME_FIELD_ZONE_APPEND_NLB = NVME_FIELD(12, 0, 16), /* how many LBAs, 0's based */
	NVME_FIELD_ZONE_APPEND_PIREMAP = NVME_FIELD(12, 25, 1), /* remap the reference tag */
	/* PRACT in bit 3, checks of guard, application and reference tag in bits 2:0 */
	NVME_FIELD_ZONE_APPEND_PRINFO = NVME_FIELD(12, 26, 4),
	NVME_FIELD_ZONE_APPEND_FUA = NVME_FIELD(12, 30, 1), /* force unit access */
	NVME_FIELD_ZONE_APPEND_LR = NVME_FIELD(12, 31, 1), /* limited retry */
	NVME_FIELD_ZONE_APPEND_LBST = NVME_FIELD(14, 0, 32), /* expected initial reference tag and storage tag */
	NVME_FIELD_ZONE_APPEND_LBAT = NVME_FIELD(15, 0, 16), /* expected application tag */
	NVME_FIELD_ZONE_APPEND_LBATM = NVME_FIELD(15, 16, 16), /* mask of the application tag */
	NVME_FIELD_KV_STORE_VS = NVME_FIELD(10, 0, 32), /* size of the value, bytes */
	NVME_FIELD_KV_STORE_KL = NVME_FIELD(11, 0, 8), /* length of the key, bytes */
	/* options: bit 0 only if the key exists, 1 only if it does not, 2 not compressed */
	NVME_FIELD_KV_STORE_SO = NVME_FIELD(11, 8, 8),
	NVME_FIELD_KV_RETRIEVE_HBS = NVME_FIELD(10, 0, 32), /* size of the host's buffer, bytes */
	NVME_FIELD_KV_RETRIEVE_KL = NVME_FIELD(11, 0, 8), /* length of the key, bytes */
	NVME_FIELD_KV_RETRIEVE_RO = NVME_FIELD(11, 8, 8), /* options: bit 0 not decompressed */
	NVME_FIELD_KV_LIST_HBS = NVME_FIELD(10, 0, 32), /* size of the host's buffer, bytes */
	NVME_FIELD_KV_LIST_KL = NVME_FIELD(11, 0, 8), /* length of the key, bytes */
	NVME_FIELD_KV_DELETE_KL = NVME_FIELD(11, 0, 8), /* length of the key, bytes */
	NVME_FIELD_KV_EXIST_KL = NVME_FIELD(11, 0, 8), /* length of the key, bytes */
};

/* The width of a field in bits; 0 if there is no field. */
static inline uint32_t nvme_field_width(uint32_t field)
{
	return field & 0xff;
}

static inline uint64_t nvme_get_field(const struct nvme_cmd *cmd, uint32_t field)
{
	const uint32_t *dword = (const uint32_t *)cmd + (field >> 16);

	if (nvme_field_width(field) == 64)
		return (uint64_t)dword[1] << 32 | dword[0];
	return dword[0] >> (field >> 8 & 31) & ((UINT64_C(1) << nvme_field_width(field)) - 1);
}

/* Replace a field, and leave the other bits of its dword. Bits of value above the field's width are lost. */
static inline void nvme_set_field(struct nvme_cmd *cmd, uint32_t field, uint64_t value)
{
	uint32_t *dword = (uint32_t *)cmd + (field >> 16);
	uint32_t shift = field >> 8 & 31, mask;

	if (nvme_field_width(field) == 64) {
		dword[0] = (uint32_t)value;
		dword[1] = (uint32_t)(value >> 32);
		return;
	}
	mask = (uint32_t)((UINT64_C(1) << nvme_field_width(field)) - 1) << shift;
	dword[0] = (dword[0] & ~mask) | ((uint32_t)value << shift & mask);
}

#endif
