package picture

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math"
	"slices"
)

// Bounds of an image file. A file beyond them is not decoded: a few kilobytes
// may unfold to gigabytes.
const (
	MaxBytes  = 32 << 20
	MaxPixels = 40_000_000
)

// samples bounds the pixels that a cell of a large image is measured at, in
// each direction, to at most twice as many.
const samples = 16

// side is that of the square an image is reduced to; low is how many of its
// lowest frequencies, in each direction, make the hash.
const (
	side = 64
	low  = 16
)

// Of computes the hash of a JPEG, PNG or GIF (its first picture): brightness
// reduced to 64 x 64 means, the 16 x 16 lowest frequencies of their discrete
// cosine transform without the constant ones, each compared with the median.
// Scaling, recompression and small changes of colour move few bits.
func Of(r io.Reader) (Hash, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Hash{}, err
	}
	if len(b) > MaxBytes {
		return Hash{}, fmt.Errorf("larger than %d MiB", MaxBytes>>20)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return Hash{}, fmt.Errorf("no JPEG, PNG or GIF: %w", err)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > MaxPixels/config.Height {
		return Hash{}, fmt.Errorf("%d x %d pixels: want at least one and at most %d in all", config.Width, config.Height, MaxPixels)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return Hash{}, fmt.Errorf("decode: %w", err)
	}
	return hashOf(reduce(img)), nil
}

// reduce gives the mean brightness of each of 64 x 64 cells; cells narrower
// than a pixel take the pixel they lie in. Transparent parts are white.
func reduce(img image.Image) (cells [side][side]float64) {
	box := img.Bounds()
	for y := range side {
		y0, y1 := span(box.Min.Y, box.Dy(), y)
		for x := range side {
			x0, x1 := span(box.Min.X, box.Dx(), x)
			sum, n := 0.0, 0.0
			for v := y0; v < y1; v += max(1, (y1-y0)/samples) {
				for u := x0; u < x1; u += max(1, (x1-x0)/samples) {
					sum += brightness(img, u, v)
					n++
				}
			}
			cells[y][x] = sum / n
		}
	}
	return cells
}

// span is the part of n pixels, from first on, that falls in a cell.
func span(first, n, cell int) (from, to int) {
	from, to = first+cell*n/side, first+(cell+1)*n/side
	return from, max(to, from+1)
}

// brightness is the luma of ITU-R BT.601 over white, 0 to 255.
func brightness(img image.Image, x, y int) float64 {
	switch m := img.(type) {
	case *image.YCbCr: // nearly every photograph
		return float64(m.Y[m.YOffset(x, y)])
	case *image.Gray:
		return float64(m.Pix[m.PixOffset(x, y)])
	}
	r, g, b, a := img.At(x, y).RGBA() // premultiplied, 16 bits
	return (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b) + float64(0xffff-a)) / 257
}

// cosines[u][x] is cos((2x+1)u pi / 128), u from 1.
var cosines = func() (c [low][side]float64) {
	for u := range low {
		for x := range side {
			c[u][x] = math.Cos(float64(2*x+1) * float64(u+1) * math.Pi / (2 * side))
		}
	}
	return c
}()

// hashOf compares the low frequencies with their median. An image without any
// keeps all bits zero.
func hashOf(cells [side][side]float64) Hash {
	var rows [side][low]float64
	for y := range side {
		for u := range low {
			for x := range side {
				rows[y][u] += cells[y][x] * cosines[u][x]
			}
		}
	}
	h := Hash{Kind: Computed}
	var all [low * low]float64
	strongest := 0.0
	for v := range low {
		for u := range low {
			s := 0.0
			for y := range side {
				s += rows[y][u] * cosines[v][y]
			}
			all[v*low+u] = s
			strongest = math.Max(strongest, math.Abs(s))
		}
	}
	if strongest < side*side/16 { // a quarter of a shade: nothing but rounding
		return h
	}
	sorted := all
	slices.SortFunc(sorted[:], func(a, b float64) int { return cmp.Compare(a, b) })
	median := (sorted[low*low/2-1] + sorted[low*low/2]) / 2
	for i, s := range all {
		if s > median {
			h.Bits[i/64] |= 1 << (i % 64)
		}
	}
	return h
}
