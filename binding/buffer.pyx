# SPDX-License-Identifier: BSD-3-Clause
# Buffer: DMA memory as a sequence of bytes.

cdef const char *_HEX = b"0123456789abcdef"


cdef class Buffer:
    # Allocated by __init__, or at the first use, since a subclass may have an __init__ that never calls ours.
    cdef cspdk.pyn_buffer *_buffer
    cdef uint32_t _size
    cdef uint32_t _offset
    cdef bint _size_meant  # the script has set it
    cdef bint _offset_meant
    cdef Py_ssize_t _shape[1]
    cdef Py_ssize_t _strides[1]
    cdef readonly str _name
    cdef object __weakref__

    def __init__(self, *args, **names):
        Buffer._construct(self, *args, **names)

    @_named
    def _construct(self, size=4096, name="buffer", pvalue=0, ptype=0, *, cmb=None):
        if cmb is not None and not isinstance(cmb, Controller):
            raise TypeError(f"cmb must be a Controller, not {type(cmb).__name__}")
        self._allocate(size, name, pvalue, ptype, cmb)

    def __dealloc__(self):
        if self._buffer != NULL:
            cspdk.pyn_buffer_put(self._buffer)

    cdef int _allocate(self, object size, object name, object pvalue, object ptype, Controller cmb) except -1:
        cdef cspdk.pyn_error err
        cdef cspdk.pyn_buffer *buffer
        cdef cspdk.pyn_device *device = NULL
        cdef uint32_t c_type, c_value
        cdef object bytes_wanted = _integer(size, "size")

        # A command, a view or another thread may be using its memory.
        _check(self._buffer == NULL, "this Buffer exists already")
        _check(bytes_wanted > 0, f"size must be at least 1 byte, not {size}")
        if bytes_wanted > 0x7fffffff:
            raise MemoryError(f"a buffer has at most 2 GiB, not {size} bytes")
        text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        c_type, c_value = _field(ptype, 32, "ptype"), _field(pvalue, 32, "pvalue")
        with nogil:  # the first call maps the DMA memory, which takes a while with hugepages
            _ok(cspdk.pyn_env_start(&err), &err)
        # The code of an argument, or another thread, may have allocated it.
        _check(self._buffer == NULL, "this Buffer exists already")
        if cmb is not None:
            device = _created(cmb, cmb._device)._device
        buffer = cspdk.pyn_buffer_with_pattern(device, bytes_wanted, c_type, c_value, &err)
        if buffer == NULL:
            raise _exception(&err)
        self._buffer = buffer
        self._size = bytes_wanted
        self._offset = 0
        self._size_meant = self._offset_meant = False
        self._name = text
        return 0

    cdef cspdk.pyn_buffer *_get(self) except NULL:
        if self._buffer == NULL:
            self._allocate(4096, "buffer", 0, 0, None)
        return self._buffer

    # -- as a sequence ----------------------------------------------------------------------------------

    def __len__(self):
        return self._get().size

    def __iter__(self):
        return iter(self[:])

    def __repr__(self):
        self._get()
        return f"<buffer name: {self._name}>"

    cdef uint32_t _index(self, object key) except? 0xffffffff:
        cdef int64_t size = self._get().size
        cdef int64_t index = _integer(key, "an index")

        if index < 0:
            index += size
        if not 0 <= index < size:
            raise IndexError(f"byte {key} of a buffer of {size} bytes")
        return <uint32_t>index

    def __getitem__(self, key):
        cdef cspdk.pyn_buffer *buffer = self._get()
        cdef Py_ssize_t start, stop, step

        if not isinstance(key, slice):
            return buffer.data[self._index(key)]
        start, stop, step = key.indices(buffer.size)
        if step == 1:
            return PyBytes_FromStringAndSize(<char *>buffer.data + start, max(stop - start, 0))
        return bytes(bytearray([buffer.data[i] for i in range(start, stop, step)]))

    def __setitem__(self, key, value):
        cdef cspdk.pyn_buffer *buffer = self._get()
        cdef uint32_t index
        cdef const uint8_t[::1] data
        cdef Py_ssize_t start, stop, step

        if not isinstance(key, slice):
            index = self._index(key)
            buffer.data[index] = <uint8_t>_field(value, 8, "a byte")
            cspdk.pyn_buffer_changed(buffer, index, 1)
            return
        start, stop, step = key.indices(buffer.size)
        if isinstance(value, int):
            value = [value]
        data = bytes(value)
        if step != 1:
            self._set_every(start, stop, step, data)
            return
        if start + data.shape[0] > buffer.size:
            raise IndexError(f"{data.shape[0]} bytes from byte {start} of a buffer of {buffer.size} bytes")
        if data.shape[0]:
            memcpy(buffer.data + start, &data[0], data.shape[0])
            cspdk.pyn_buffer_changed(buffer, <uint32_t>start, <uint32_t>data.shape[0])

    cdef int _set_every(self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step, const uint8_t[::1] data) except -1:
        cdef Py_ssize_t count = len(range(start, stop, step))

        if data.shape[0] != count:
            raise ValueError(f"{data.shape[0]} bytes for a slice of {count} bytes")
        for i in range(count):
            self._buffer.data[start + i * step] = data[i]
        cspdk.pyn_buffer_changed(self._buffer, 0, self._buffer.size)
        return 0

    def __getbuffer__(self, Py_buffer *view, int flags):
        cdef cspdk.pyn_buffer *buffer = self._get()

        self._shape[0] = buffer.size
        self._strides[0] = 1
        view.buf = buffer.data
        view.obj = self
        view.len = buffer.size
        view.readonly = 0
        view.itemsize = 1
        view.format = "B"
        view.ndim = 1
        view.shape = self._shape
        view.strides = self._strides
        view.suboffsets = NULL
        view.internal = NULL

    # -- parts of it ------------------------------------------------------------------------------------

    @property
    def size(self):
        self._get()
        return self._size

    @size.setter
    def size(self, value):
        cdef uint32_t allocated = self._get().size
        cdef object wanted = _integer(value, "Buffer.size")

        _check(0 <= wanted <= allocated, f"Buffer.size must be from 0 to {allocated}, the allocation, not {value}")
        self._size = wanted
        self._size_meant = True

    @size.deleter
    def size(self):
        self._size = self._get().size
        self._size_meant = False

    @property
    def offset(self):
        self._get()
        return self._offset

    @offset.setter
    def offset(self, value):
        cdef uint32_t allocated = self._get().size
        cdef object wanted = _integer(value, "Buffer.offset")

        _check(0 <= wanted <= allocated, f"Buffer.offset must be from 0 to {allocated}, the allocation, not {value}")
        self._offset = wanted
        self._offset_meant = True

    @offset.deleter
    def offset(self):
        self._get()
        self._offset = 0
        self._offset_meant = False

    @property
    def phys_addr(self):
        return cspdk.pyn_buffer_address(self._get(), self._offset).value

    @property
    def data_head(self):
        return self.data(7, 0)

    @property
    def data_tail(self):
        return self.data(len(self) - 1, len(self) - 8)

    @_named
    def data(self, byte_end, byte_begin=None, type=int):
        cdef cspdk.pyn_buffer *buffer = self._get()
        cdef object end = _integer(byte_end, "byte_end")
        cdef object begin = end if byte_begin is None else _integer(byte_begin, "byte_begin")

        if not 0 <= begin <= end < buffer.size:
            raise IndexError(f"byte_begin {begin} to byte_end {end} are not bytes of a buffer of {buffer.size} bytes")
        raw = self[begin:end + 1]
        if type is int:
            return int.from_bytes(raw, "little")
        if type is str:
            return raw.decode("ascii", "replace").rstrip(" \0")
        raise TypeError(f"type must be int or str, not {type!r}")

    @_named
    def set_dsm_range(self, index, lba, lba_count, attr=0):
        cdef object place = _integer(index, "index")

        if not 0 <= place < 256:
            raise IndexError(f"index must be from 0 to 255, the ranges of a Dataset Management command, not {index}")
        raw = (_field(attr, 32, "attr").to_bytes(4, "little")
               + _field(lba_count, 32, "lba_count").to_bytes(4, "little")
               + _field(lba, 64, "lba").to_bytes(8, "little"))
        _check(place * 16 + 16 <= len(self), f"range {place} does not fit into a buffer of {len(self)} bytes")
        self[place * 16:place * 16 + 16] = raw

    @_named
    def set_copy_range(self, index, lba, lba_count, nsid=0, size=32):
        cdef object place = _integer(index, "index"), length = _integer(size, "size")

        if not 0 <= place < 256:
            raise IndexError(f"index must be from 0 to 255, the source ranges of a Copy command, not {index}")
        _check(length in (32, 40), f"size must be 32 (formats 0 and 2) or 40 (formats 1 and 3), not {size}")
        raw = (_field(nsid, 32, "nsid").to_bytes(8, "little") + _field(lba, 64, "lba").to_bytes(8, "little")
               + _field(_integer(lba_count, "lba_count") - 1, 16, "lba_count - 1").to_bytes(2, "little"))
        _check(place * length + length <= len(self),
               f"range {place} does not fit into a buffer of {len(self)} bytes")
        self[place * length:place * length + length] = raw.ljust(length, b"\0")

    # -- as text ----------------------------------------------------------------------------------------

    cdef bytes _dump_rows(self, uint32_t length):
        """All rows, with their texts aligned."""
        cdef const uint8_t *data = self._buffer.data
        cdef uint32_t rows = (length + 15) // 16
        cdef bytes out = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>rows * 78)
        cdef char *row = out
        cdef uint32_t r, i, at
        cdef char *hexes
        cdef char *texts

        memset(row, 32, <size_t>rows * 78)
        for r in range(rows):
            for i in range(8):
                row[i] = _HEX[(r * 16 >> (28 - 4 * i)) & 15]
            texts = row + 60
            for i in range(16):
                at = r * 16 + i
                if at >= length:
                    break
                hexes = row + 10 + 3 * i + (i >= 8)
                hexes[0] = _HEX[data[at] >> 4]
                hexes[1] = _HEX[data[at] & 15]
                texts[i] = data[at] if 32 <= data[at] < 127 else 46
            row[76] = 10
            row[77] = 10
            row += 77
        return out[:<Py_ssize_t>rows * 77]

    @_named
    def decode(self, structure, offset=0):
        from pynvme import decode

        place = _integer(offset, "offset")
        _check(0 <= place <= len(self), f"offset must be from 0 to {len(self)}, the size of the buffer, not {offset}")
        return decode.structure_called(structure, "structure")(self, place)

    @_named
    def dump(self, size=None):
        cdef cspdk.pyn_buffer *buffer = self._get()
        cdef object length = buffer.size if size is None else _integer(size, "size")

        _check(0 <= length <= buffer.size, f"size must be from 0 to {buffer.size}, not {size}")
        text = self._dump_rows(length).decode("ascii").rstrip("\n")
        if length % 16 == 0:
            # In the 0.1 API's examples, a full last row has three blanks before its text.
            cut = text.rfind("\n") + 1 + 59
            text = f"{text[:cut]} {text[cut:]}"
        text = f"{self._name}\n{text}".rstrip(" ") if length else self._name
        print(text)
        return text


cdef int _check_buffer(object buf) except -1:
    """The Buffer argument of a command that needs one."""
    if not isinstance(buf, Buffer):
        raise TypeError(f"buf must be a Buffer, not {type(buf).__name__}")
    return 0


cdef int _take_buffer(cspdk.pyn_command *command, object buf) except -1:
    """The memory of a Buffer argument, from its offset on, or nothing if it is None."""
    cdef Buffer buffer

    command.buffer = NULL
    command.offset = command.length = 0
    command.meant = False
    if buf is None:
        return 0
    if not isinstance(buf, Buffer):
        raise TypeError(f"buf must be a Buffer, not {type(buf).__name__}")
    buffer = <Buffer>buf
    command.buffer = buffer._get()
    command.offset = buffer._offset
    command.length = min(buffer._size, buffer._buffer.size - buffer._offset)
    command.meant = buffer._size_meant or buffer._offset_meant
    return 0


cdef int _take_metadata(cspdk.pyn_command *command, object meta) except -1:
    """The memory of a Buffer for metadata, from its offset on, to which MPTR points. An SGL: see _take_sgl."""
    cdef Buffer buffer

    if hasattr(meta, "_parts"):
        command.metadata.own = True
        return 0
    if not isinstance(meta, Buffer):
        raise TypeError(f"meta must be a Buffer, or an Sgl or a Descriptor of pynvme.sgl, not {type(meta).__name__}")
    buffer = <Buffer>meta
    command.metadata.buffer = buffer._get()
    command.metadata.offset = buffer._offset
    return 0


cdef int _check_room(cspdk.pyn_command *command, object buf, object needed, str what) except -1:
    """Check that the buffer holds the transfer, unless the script has set its size or offset."""
    if needed > command.length and not command.meant:
        raise AssertionError(f"{what} transfers {needed} bytes; {buf!r} has {command.length}. Set its size or offset "
                             f"to send the command all the same")
    return 0
