# SPDX-License-Identifier: BSD-3-Clause
"""What the NVMe specifications say: enumerations, commands, structures.

Each module is loaded when it is used.

    from pynvme.spec import AdminOpcode, Status
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynvme.spec.enums import (
        DataDirection as DataDirection,
        CommandSet as CommandSet,
        FirmwareAction as FirmwareAction,
        SelfTest as SelfTest,
        SanitizeAction as SanitizeAction,
        SecureErase as SecureErase,
        QueuePriority as QueuePriority,
        FeatureSelect as FeatureSelect,
        NamespaceManagement as NamespaceManagement,
        NamespaceAttachment as NamespaceAttachment,
        LockdownScope as LockdownScope,
        LockdownInterface as LockdownInterface,
        CapacityOperation as CapacityOperation,
        VirtualizationAction as VirtualizationAction,
        DirectiveType as DirectiveType,
        ReservationType as ReservationType,
        ReservationAcquire as ReservationAcquire,
        ReservationRegister as ReservationRegister,
        ReservationRelease as ReservationRelease,
        ZoneSendAction as ZoneSendAction,
        ZoneReceiveAction as ZoneReceiveAction,
        ZoneState as ZoneState,
        EventType as EventType,
        ErrorEvent as ErrorEvent,
        SmartEvent as SmartEvent,
        NoticeEvent as NoticeEvent,
        IoEvent as IoEvent,
    )
    from pynvme.spec.status import (
        StatusCodeType as StatusCodeType,
        Status as Status,
    )
    from pynvme.spec.commands import (
        AdminOpcode as AdminOpcode,
        IoOpcode as IoOpcode,
        KvOpcode as KvOpcode,
    )
    from pynvme.spec.identify import (
        Cns as Cns,
        Nidt as Nidt,
        ControllerType as ControllerType,
        PowerScale as PowerScale,
        ProtectionInformationFormat as ProtectionInformationFormat,
    )
    from pynvme.spec.logs import (
        LogId as LogId,
        SelfTestStatus as SelfTestStatus,
        AnaState as AnaState,
        PersistentEventType as PersistentEventType,
        ReclaimUnitHandleType as ReclaimUnitHandleType,
        FdpEventType as FdpEventType,
        SanitizeStatus as SanitizeStatus,
        SanitizeState as SanitizeState,
    )
    from pynvme.spec.features import (
        FeatureId as FeatureId,
        WriteProtectionState as WriteProtectionState,
    )
    from pynvme.spec.registers import (
        Register as Register,
        Version as Version,
        CapCommandSets as CapCommandSets,
        CcCommandSet as CcCommandSet,
        ArbitrationMechanism as ArbitrationMechanism,
        ShutdownNotification as ShutdownNotification,
        ShutdownStatus as ShutdownStatus,
    )
    from pynvme.spec.descriptors import (
        SglType as SglType,
    )
    from pynvme.spec.mi import (
        MiOpcode as MiOpcode,
        MiDataType as MiDataType,
        MiStatus as MiStatus,
    )
    from pynvme.spec.ocp import (
        OcpLogId as OcpLogId,
        OcpFeatureId as OcpFeatureId,
        OcpError as OcpError,
    )
    from pynvme.spec.pci import (
        PciRegister as PciRegister,
        PciCapability as PciCapability,
        PciExtendedCapability as PciExtendedCapability,
        PciPowerManagement as PciPowerManagement,
        PciMsi as PciMsi,
        PciMsix as PciMsix,
        PciExpress as PciExpress,
        PciAer as PciAer,
        PciSerialNumber as PciSerialNumber,
    )

_MODULE_OF = {
    "DataDirection": "enums",
    "CommandSet": "enums",
    "FirmwareAction": "enums",
    "SelfTest": "enums",
    "SanitizeAction": "enums",
    "SecureErase": "enums",
    "QueuePriority": "enums",
    "FeatureSelect": "enums",
    "NamespaceManagement": "enums",
    "NamespaceAttachment": "enums",
    "LockdownScope": "enums",
    "LockdownInterface": "enums",
    "CapacityOperation": "enums",
    "VirtualizationAction": "enums",
    "DirectiveType": "enums",
    "ReservationType": "enums",
    "ReservationAcquire": "enums",
    "ReservationRegister": "enums",
    "ReservationRelease": "enums",
    "ZoneSendAction": "enums",
    "ZoneReceiveAction": "enums",
    "ZoneState": "enums",
    "EventType": "enums",
    "ErrorEvent": "enums",
    "SmartEvent": "enums",
    "NoticeEvent": "enums",
    "IoEvent": "enums",
    "StatusCodeType": "status",
    "Status": "status",
    "AdminOpcode": "commands",
    "IoOpcode": "commands",
    "KvOpcode": "commands",
    "Cns": "identify",
    "Nidt": "identify",
    "ControllerType": "identify",
    "PowerScale": "identify",
    "ProtectionInformationFormat": "identify",
    "LogId": "logs",
    "SelfTestStatus": "logs",
    "AnaState": "logs",
    "PersistentEventType": "logs",
    "ReclaimUnitHandleType": "logs",
    "FdpEventType": "logs",
    "SanitizeStatus": "logs",
    "SanitizeState": "logs",
    "FeatureId": "features",
    "WriteProtectionState": "features",
    "Register": "registers",
    "Version": "registers",
    "CapCommandSets": "registers",
    "CcCommandSet": "registers",
    "ArbitrationMechanism": "registers",
    "ShutdownNotification": "registers",
    "ShutdownStatus": "registers",
    "SglType": "descriptors",
    "MiOpcode": "mi",
    "MiDataType": "mi",
    "MiStatus": "mi",
    "OcpLogId": "ocp",
    "OcpFeatureId": "ocp",
    "OcpError": "ocp",
    "PciRegister": "pci",
    "PciCapability": "pci",
    "PciExtendedCapability": "pci",
    "PciPowerManagement": "pci",
    "PciMsi": "pci",
    "PciMsix": "pci",
    "PciExpress": "pci",
    "PciAer": "pci",
    "PciSerialNumber": "pci",
}
__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> object:
    """Load the module that defines the name, the first time that somebody asks for it."""
    if name not in _MODULE_OF:
        raise AttributeError(f"pynvme.spec has no {name}")
    value = getattr(import_module(f"pynvme.spec.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_MODULE_OF)
