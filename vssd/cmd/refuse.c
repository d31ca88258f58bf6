/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/refuse.h"

#include "vssd/ctrl/controller.h"

uint16_t vssd_refuse(struct vssd_request *request, uint16_t status, struct vssd_field field, const char *section)
{
	request->failure.field = field;
	request->failure.section = section;
	return status;
}

uint16_t vssd_refuse_nsid(struct vssd_request *request, const char *section)
{
	bool is_valid = vssd_nsid_is_valid(request->ctrl, request->cmd.nsid);

	return vssd_refuse(request, is_valid ? NVME_SC_INVALID_FIELD : NVME_SC_INVALID_NAMESPACE, VSSD_NSID, section);
}

uint16_t vssd_refuse_busy(struct vssd_request *request, uint16_t status)
{
	switch (status) {
	case NVME_SC_FORMAT_IN_PROGRESS:
		return vssd_refuse(request, status, VSSD_STATE("a format is in progress"), VSSD_BASE("5.1.10"));
	case NVME_SC_SANITIZE_IN_PROGRESS:
		return vssd_refuse(request, status, VSSD_STATE("a sanitize operation is in progress"),
				   VSSD_BASE("8.1.24"));
	default:
		return vssd_refuse(request, status, VSSD_STATE("a sanitize operation has failed"),
				   VSSD_BASE("8.1.24"));
	}
}

uint16_t vssd_fail_at(struct vssd_request *request, uint16_t status, uint64_t lba, const char *what,
		      const char *section)
{
	request->failure.has_lba = true;
	request->failure.lba = lba;
	return vssd_refuse(request, status, VSSD_STATE(what), section);
}
