/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The EAL starts no thread here (core/env/eal_quiet.c), and a module that is loaded changes no signal. DPDK's PCI bus
 * and SPDK's environment rely on both. The linker redirects these calls of theirs here (--wrap in tools/native.mk):
 *
 * - rte_eal_alarm_set, rte_eal_alarm_cancel: SPDK removes a device in a thread of the EAL. Here it does so at once.
 * - rte_intr_callback_register and its siblings: a thread of the EAL would tell that the kernel requests a function
 *   back. core/pci asks the kernel itself.
 * - spdk_pci_register_error_handler and its sibling: SPDK's file of them installs a handler of SIGBUS when the module
 * is loaded, even where SPDK is not used. After a fault that is not SPDK's, that handler would repeat the access
 * forever. Nothing refers to that file now, so the linker leaves it out.
 */
#include <stdint.h>

#include <spdk/env.h>

typedef void (*alarm_fn)(void *argument);
typedef void (*interrupt_fn)(void *argument);
struct rte_intr_handle;

int __wrap_rte_eal_alarm_set(uint64_t us, alarm_fn call, void *argument);
int __wrap_rte_eal_alarm_cancel(alarm_fn call, void *argument);
int __wrap_rte_intr_callback_register(const struct rte_intr_handle *handle, interrupt_fn call, void *argument);
int __wrap_rte_intr_callback_unregister(const struct rte_intr_handle *handle, interrupt_fn call, void *argument);
int __wrap_rte_intr_callback_unregister_sync(const struct rte_intr_handle *handle, interrupt_fn call, void *argument);
int __wrap_spdk_pci_register_error_handler(spdk_pci_error_handler handler, void *context);
void __wrap_spdk_pci_unregister_error_handler(spdk_pci_error_handler handler);

int __wrap_rte_eal_alarm_set(uint64_t us, alarm_fn call, void *argument)
{
	(void)us;
	call(argument);
	return 0;
}

int __wrap_rte_eal_alarm_cancel(alarm_fn call, void *argument)
{
	(void)call, (void)argument;
	return 0;
}

int __wrap_rte_intr_callback_register(const struct rte_intr_handle *handle, interrupt_fn call, void *argument)
{
	(void)handle, (void)call, (void)argument;
	return 0;
}

int __wrap_rte_intr_callback_unregister(const struct rte_intr_handle *handle, interrupt_fn call, void *argument)
{
	(void)handle, (void)call, (void)argument;
	return 1;
}

int __wrap_rte_intr_callback_unregister_sync(const struct rte_intr_handle *handle, interrupt_fn call, void *argument)
{
	(void)handle, (void)call, (void)argument;
	return 1;
}

int __wrap_spdk_pci_register_error_handler(spdk_pci_error_handler handler, void *context)
{
	(void)handler, (void)context;
	return 0;
}

void __wrap_spdk_pci_unregister_error_handler(spdk_pci_error_handler handler)
{
	(void)handler;
}
