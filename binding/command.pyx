# SPDX-License-Identifier: BSD-3-Clause
# Assembles commands, from the script's dwords, or from fields whose places spec/commands.py describes.


cdef inline int _put(cspdk.nvme_cmd *cmd, uint32_t field, object value, str name) except -1:
    """Put a value of the script into a field of a command. name is that of its parameter, for the exception."""
    cspdk.nvme_set_field(cmd, field, _field(value, cspdk.nvme_field_width(field), name))
    return 0


cdef int _fill_command(cspdk.pyn_command *command, object opcode, object buf, object nsid, object cdw10=0,
                       object cdw11=0, object cdw12=0, object cdw13=0, object cdw14=0, object cdw15=0) except -1:
    """Fill in a command. opcode is bits 15:0 of cdw0. The data are `size` bytes of the buffer from its offset on."""
    cdef uint64_t opc = _field(opcode, 16, "opcode")

    memset(command, 0, sizeof(command[0]))
    command.cmd.opc = <uint8_t>opc
    command.cmd.flags = <uint8_t>(opc >> 8)
    command.cmd.nsid = <uint32_t>_field(nsid, 32, "nsid")
    command.cmd.cdw10 = <uint32_t>_field(cdw10, 32, "cdw10")
    command.cmd.cdw11 = <uint32_t>_field(cdw11, 32, "cdw11")
    command.cmd.cdw12 = <uint32_t>_field(cdw12, 32, "cdw12")
    command.cmd.cdw13 = <uint32_t>_field(cdw13, 32, "cdw13")
    command.cmd.cdw14 = <uint32_t>_field(cdw14, 32, "cdw14")
    command.cmd.cdw15 = <uint32_t>_field(cdw15, 32, "cdw15")
    _take_buffer(command, buf)
    return 0
