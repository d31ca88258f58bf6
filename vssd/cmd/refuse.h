/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each refusal names its reason: the field of the command, or the state of the drive, that is wrong, and the section
 * of the specification that says so. The error log gets the position of the field; the trace, which the control
 * socket switches on, gets all of it. A handler that fails a command returns the result of vssd_refuse().
 */
#ifndef VSSD_CMD_REFUSE_H
#define VSSD_CMD_REFUSE_H

#include <stdint.h>

#include "vssd/cmd/request.h"

/* Bits high:low of a command dword, one bit, the whole dword, or this dword and the next. */
#define VSSD_BITS(dword, high, low, name) ((struct vssd_field){name, dword, high, low})
#define VSSD_BIT(dword, bit, name) VSSD_BITS(dword, bit, bit, name)
#define VSSD_DWORD(dword, name) VSSD_BITS(dword, 31, 0, name)
#define VSSD_QWORD(dword, name) VSSD_BITS(dword, 63, 0, name)

/* A field of spec/nvme_field.h. */
#define VSSD_FIELD(field, name)                                                                                      \
	VSSD_BITS((uint8_t)((field) >> 16),                                                                          \
		  ((field)&0xff) == 64 ? 63 : (uint8_t)(((field) >> 8 & 31) + ((field)&0xff) - 1),                   \
		  (field) >> 8 & 31, name)

#define VSSD_NSID VSSD_DWORD(1, "NSID")
#define VSSD_SLBA VSSD_FIELD(NVME_FIELD_WRITE_SLBA, "SLBA")
#define VSSD_NLB VSSD_FIELD(NVME_FIELD_WRITE_NLB, "NLB")
#define VSSD_QID VSSD_FIELD(NVME_FIELD_CREATE_SQ_QID, "QID")
#define VSSD_FID VSSD_FIELD(NVME_FIELD_SET_FEATURES_FID, "FID")
#define VSSD_CDW11 VSSD_DWORD(11, "feature value")

/* The reason is not a field but a state, which the text describes. */
#define VSSD_NO_DWORD UINT8_MAX
#define VSSD_STATE(what) VSSD_BITS(VSSD_NO_DWORD, 0, 0, what)

/* The section of the specification that says so. */
#define VSSD_OWN NULL /* the section of the command itself */
#define VSSD_BASE(section) "Base 2.1, " section
#define VSSD_BASE_2_3(section) "Base 2.3, " section
#define VSSD_NVM(section) "NVM 1.1, " section
#define VSSD_ZNS(section) "ZNS 1.2, " section

/* Record why the request fails. Returns the status. section: a literal made by the macros above. */
uint16_t vssd_refuse(struct vssd_request *request, uint16_t status, struct vssd_field field, const char *section);

/* Refuse an NSID that is not active, or that is not valid at all. */
uint16_t vssd_refuse_nsid(struct vssd_request *request, const char *section);

/* Refuse a command that needs data, during a format or a sanitize operation; the status says which. */
uint16_t vssd_refuse_busy(struct vssd_request *request, uint16_t status);

/* As vssd_refuse(), for a command that fails at this LBA. */
uint16_t vssd_fail_at(struct vssd_request *request, uint16_t status, uint64_t lba, const char *what,
		      const char *section);

#endif
