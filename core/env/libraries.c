/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replaces the functions of libnuma and libbsd that the EAL calls, so that the module needs neither library. The
 * linker redirects these calls here (see tools/native.mk).
 *
 * The EAL uses libnuma to place its hugepages, and it has none: arena.c allocates the DMA memory. numa_available()
 * reports that there is no NUMA, after which the EAL calls nothing else of libnuma.
 */
#include <stddef.h>
#include <string.h>

int __wrap_numa_available(void);
void *__wrap_numa_allocate_nodemask(void);
void __wrap_numa_bitmask_free(void *mask);
void __wrap_numa_set_localalloc(void);
void __wrap_numa_set_preferred(int node);
long __wrap_get_mempolicy(int *mode, unsigned long *nodes, unsigned long most, void *address, unsigned flags);
long __wrap_set_mempolicy(int mode, const unsigned long *nodes, unsigned long most);
size_t __wrap_strlcpy(char *target, const char *source, size_t size);

int __wrap_numa_available(void)
{
	return -1;
}

void *__wrap_numa_allocate_nodemask(void)
{
	return NULL;
}

void __wrap_numa_bitmask_free(void *mask)
{
	(void)mask;
}

void __wrap_numa_set_localalloc(void)
{
}

void __wrap_numa_set_preferred(int node)
{
	(void)node;
}

long __wrap_get_mempolicy(int *mode, unsigned long *nodes, unsigned long most, void *address, unsigned flags)
{
	(void)mode;
	(void)nodes;
	(void)most;
	(void)address;
	(void)flags;
	return -1;
}

long __wrap_set_mempolicy(int mode, const unsigned long *nodes, unsigned long most)
{
	(void)mode;
	(void)nodes;
	(void)most;
	return -1;
}

/* Copy at most size - 1 bytes and a terminating zero, nothing if size is 0. Returns the length of source. */
size_t __wrap_strlcpy(char *target, const char *source, size_t size)
{
	size_t length = strlen(source), copied = length < size ? length : size - 1;

	if (size) {
		memcpy(target, source, copied);
		target[copied] = '\0';
	}
	return length;
}
