package main

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePages asks the kernel to back a large array with huge pages. It is an
// advice: where it is not taken, the run is only slower.
func hugePages(b []byte) {
	page := uintptr(os.Getpagesize())
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (page - 1)
	if n := (uintptr(len(b)) - skip) &^ (page - 1); uintptr(len(b)) > skip && n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_HUGEPAGE)
	}
}
