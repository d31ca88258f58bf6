# SPDX-License-Identifier: BSD-3-Clause
# Assembles commands, from the script's dwords, or from fields whose places spec/commands.py describes.


cdef inline int _put(cspdk.nvme_cmd *cmd, uint32_t field, object value, str name) except -1:
    """Put a value of the script into a field of a command. name is that of its parameter, for the exception."""
    cspdk.nvme_set_field(cmd, field, _field(value, cspdk.nvme_field_width(field), name))
    return 0


cdef int _fill_command(cspdk.pyn_command *command, object opcode, object buf, object nsid, object cdw10=0,
                       object cdw11=0, object cdw12=0, object cdw13=0, object cdw14=0, object cdw15=0, object cdw2=0,
                       object cdw3=0) except -1:
    """Fill in a command. opcode is bits 15:0 of cdw0. The data are `size` bytes of the buffer from its offset on."""
    cdef uint64_t opc = _field(opcode, 16, "opcode")

    memset(command, 0, sizeof(command[0]))
    command.cmd.opc = <uint8_t>opc
    command.cmd.flags = <uint8_t>(opc >> 8)
    command.cmd.nsid = <uint32_t>_field(nsid, 32, "nsid")
    command.cmd.cdw2 = <uint32_t>_field(cdw2, 32, "cdw2")
    command.cmd.cdw3 = <uint32_t>_field(cdw3, 32, "cdw3")
    command.cmd.cdw10 = <uint32_t>_field(cdw10, 32, "cdw10")
    command.cmd.cdw11 = <uint32_t>_field(cdw11, 32, "cdw11")
    command.cmd.cdw12 = <uint32_t>_field(cdw12, 32, "cdw12")
    command.cmd.cdw13 = <uint32_t>_field(cdw13, 32, "cdw13")
    command.cmd.cdw14 = <uint32_t>_field(cdw14, 32, "cdw14")
    command.cmd.cdw15 = <uint32_t>_field(cdw15, 32, "cdw15")
    _take_buffer(command, buf)
    return 0


cdef class _Named:
    """The buffers that a script's own SGL names, while the command is submitted."""
    cdef list _buffers
    cdef cspdk.pyn_buffer **_pointers

    def __cinit__(self, list buffers):
        cdef Py_ssize_t i
        cdef Buffer buffer

        self._buffers = buffers
        self._pointers = <cspdk.pyn_buffer **>PyMem_Malloc(max(1, len(buffers)) * sizeof(cspdk.pyn_buffer *))
        if self._pointers == NULL:
            raise MemoryError()
        for i in range(len(buffers)):
            buffer = <Buffer?>buffers[i]
            self._pointers[i] = buffer._get()

    def __dealloc__(self):
        PyMem_Free(self._pointers)


cdef list _take_data_sgl(cspdk.pyn_command *command, object buf, object sgl):
    """The data pointer is the script's own SGL. Returns the buffers that it names."""
    cdef bytes first

    if not hasattr(sgl, "_parts"):
        raise TypeError(f"sgl must be True, or an Sgl or a Descriptor of pynvme.sgl, not {type(sgl).__name__}")
    if buf is not None:
        raise TypeError("buf must be None for an SGL of your own, which names its buffers itself")
    first, buffers = sgl._parts()
    memcpy(&command.cmd.prp1, <const char *>first, 8)
    memcpy(&command.cmd.prp2, <const char *>first + 8, 8)
    command.cmd.flags = <uint8_t>(command.cmd.flags & 0x3f | 0x40)
    return buffers


cdef list _take_metadata_sgl(cspdk.pyn_command *command, object meta):
    """MPTR leads to the one descriptor of a segment, the first of the script's own SGL. Returns all its buffers."""
    cdef Buffer segment

    first, buffers = meta._parts()
    segment = Buffer(len(first), "SGL segment of metadata")
    segment[:] = first
    command.cmd.mptr = segment.phys_addr
    command.cmd.flags = <uint8_t>(command.cmd.flags & 0x3f | 0x80)
    return [segment, *buffers]


cdef _Named _take_sgl(cspdk.pyn_command *command, object buf, object sgl, object meta=None):
    """How the data are described: by PRPs, by an SGL that the engine makes, or by the script's own, and the
    metadata, if _take_metadata has taken an SGL of them. Returns the buffers of the script's SGLs; keep them
    until the command is submitted."""
    cdef list buffers = []
    cdef _Named named

    if command.metadata.own and sgl is False:
        raise TypeError("meta is an SGL, and PSDT then has the data described by one, too: leave out sgl=False")
    if sgl is True or (sgl is None and command.metadata.own):
        command.sgl = True
    elif sgl is not None and sgl is not False:
        buffers += _take_data_sgl(command, buf, sgl)
    if command.metadata.own:
        buffers += _take_metadata_sgl(command, meta)
    if not buffers:
        return None
    named = _Named(buffers)
    command.named = named._pointers
    command.num_named = <uint32_t>len(named._buffers)
    return named
