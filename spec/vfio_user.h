/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the vfio-user protocol, as they are on the socket (host byte order).
 * Layout only, no behaviour: host and virtual SSD both include it.
 */
#ifndef SPEC_VFIO_USER_H
#define SPEC_VFIO_USER_H

#include <stdint.h>

enum vfu_command {
	VFU_VERSION = 1,
	VFU_DMA_MAP = 2,
	VFU_DMA_UNMAP = 3,
	VFU_DEVICE_GET_INFO = 4,
	VFU_DEVICE_GET_REGION_INFO = 5,
	VFU_DEVICE_GET_REGION_IO_FDS = 6,
	VFU_DEVICE_GET_IRQ_INFO = 7,
	VFU_DEVICE_SET_IRQS = 8,
	VFU_REGION_READ = 9,
	VFU_REGION_WRITE = 10,
	VFU_DMA_READ = 11,  /* from the server to the client */
	VFU_DMA_WRITE = 12, /* from the server to the client */
	VFU_DEVICE_RESET = 13,
	VFU_REGION_WRITE_MULTI = 15,
	VFU_DEVICE_FEATURE = 16,
	VFU_MIG_DATA_READ = 17,
	VFU_MIG_DATA_WRITE = 18,
};

#define VFU_FLAGS_TYPE 0x0fu
#define VFU_FLAGS_COMMAND 0x00u
#define VFU_FLAGS_REPLY 0x01u
#define VFU_FLAGS_NO_REPLY 0x10u
#define VFU_FLAGS_ERROR 0x20u

#define VFU_MAX_DATA (1024u * 1024u)               /* default of max_data_xfer_size */
#define VFU_MAX_MESSAGE (VFU_MAX_DATA + 16u + 16u) /* header, region access, data */
#define VFU_MAX_FDS 8u

struct vfu_header {
	uint16_t id;
	uint16_t command;
	uint32_t size; /* of the whole message, this header included */
	uint32_t flags;
	uint32_t error; /* errno, where VFU_FLAGS_ERROR is set; may be 0 even then */
};
_Static_assert(sizeof(struct vfu_header) == 16, "header");

struct vfu_version {
	uint16_t major;
	uint16_t minor; /* JSON with a terminating NUL may follow */
};

#define VFU_DMA_READABLE 1u
#define VFU_DMA_WRITEABLE 2u

struct vfu_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset; /* in the file whose descriptor comes along */
	uint64_t address;
	uint64_t size;
};
_Static_assert(sizeof(struct vfu_dma_map) == 32, "DMA_MAP");

#define VFU_DMA_UNMAP_ALL 2u /* address and size are 0 */

struct vfu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t size;
};
_Static_assert(sizeof(struct vfu_dma_unmap) == 24, "DMA_UNMAP");

#define VFU_DEVICE_FLAGS_RESET 1u
#define VFU_DEVICE_FLAGS_PCI 2u

struct vfu_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};
_Static_assert(sizeof(struct vfu_device_info) == 16, "GET_INFO");

enum vfu_region {
	VFU_REGION_BAR0 = 0,
	VFU_REGION_BAR4 = 4,
	VFU_REGION_BAR5 = 5,
	VFU_REGION_ROM = 6,
	VFU_REGION_CONFIG = 7,
	VFU_REGION_VGA = 8,
	VFU_NUM_REGIONS = 9
};

#define VFU_REGION_FLAG_READ 1u
#define VFU_REGION_FLAG_WRITE 2u
#define VFU_REGION_FLAG_MMAP 4u
#define VFU_REGION_FLAG_CAPS 8u

struct vfu_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset; /* from the start of this structure */
	uint64_t size;
	uint64_t offset; /* for mmap on the descriptor that comes along */
};
_Static_assert(sizeof(struct vfu_region_info) == 32, "GET_REGION_INFO");

#define VFU_CAP_SPARSE_MMAP 1u

struct vfu_cap_header {
	uint16_t id;
	uint16_t version;
	uint32_t next; /* from the start of the region info; 0: the last */
};

struct vfu_sparse_area {
	uint64_t offset;
	uint64_t size;
};

struct vfu_sparse_mmap {
	struct vfu_cap_header header;
	uint32_t nr_areas;
	uint32_t reserved;
	struct vfu_sparse_area areas[];
};
_Static_assert(sizeof(struct vfu_sparse_mmap) == 16, "sparse mmap capability");

enum vfu_irq {
	VFU_IRQ_INTX = 0,
	VFU_IRQ_MSI = 1,
	VFU_IRQ_MSIX = 2,
	VFU_IRQ_ERR = 3,
	VFU_IRQ_REQ = 4,
	VFU_NUM_IRQS = 5
};

#define VFU_IRQ_FLAG_EVENTFD 1u
#define VFU_IRQ_FLAG_MASKABLE 2u
#define VFU_IRQ_FLAG_NORESIZE 8u

struct vfu_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};
_Static_assert(sizeof(struct vfu_irq_info) == 16, "GET_IRQ_INFO");

#define VFU_IRQ_SET_DATA_NONE 1u
#define VFU_IRQ_SET_DATA_BOOL 2u
#define VFU_IRQ_SET_DATA_EVENTFD 4u
#define VFU_IRQ_SET_MASK 8u
#define VFU_IRQ_SET_UNMASK 16u
#define VFU_IRQ_SET_TRIGGER 32u

struct vfu_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count; /* bools may follow, one byte each */
};
_Static_assert(sizeof(struct vfu_irq_set) == 20, "SET_IRQS");

struct vfu_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count; /* data follow a REGION_WRITE and the reply to a REGION_READ */
};
_Static_assert(sizeof(struct vfu_region_access) == 16, "REGION_READ/WRITE");

struct vfu_dma_access {
	uint64_t address;
	uint64_t count;
};
_Static_assert(sizeof(struct vfu_dma_access) == 16, "DMA_READ/WRITE");

#endif
