package coord

import "unsafe"

// largeBytes is the size from which the caller hears of an array.
const largeBytes = 4 << 20

// large makes an array without pointers of n values, all zero, and shows it to
// [Options.Advise].
func large[T record | listed | uint64](opt *Options, n int) []T {
	s := make([]T, n)
	if size := n * int(unsafe.Sizeof(*new(T))); opt != nil && opt.Advise != nil && size >= largeBytes {
		opt.Advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), size))
	}
	return s
}
