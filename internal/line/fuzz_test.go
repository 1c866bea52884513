package line

import (
	"bytes"
	"testing"
)

// A frame never gives more than is there, and what it gives is a frame.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("m\x00\x00\x00\x00\x00\x00\x00\x03abc"))
	f.Add([]byte("e\x00\x00\x00\x00\x00\x00\x00\x20short"))
	f.Add([]byte("r\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		kind, b, err := readFrame(bytes.NewReader(in))
		if err != nil {
			return
		}
		if kind != in[0] || len(in) < 9+len(b) || !bytes.Equal(in[9:9+len(b)], b) {
			t.Errorf("frame %q of %q", b, in)
		}
	})
}

// An envelope has one reading: cut and written again it is the same bytes.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(`{"objects":[{"type":"x"},{"a":[1,2]}]}`))
	f.Add([]byte(`{"objects":[]}`))
	f.Add([]byte(`{"objects":[{}],"more":true}`))
	f.Add([]byte(`{"objects":[{}] }`))
	f.Fuzz(func(t *testing.T, in []byte) {
		raws, err := cutEnvelope(in)
		if err != nil {
			return
		}
		parts := make([][]byte, len(raws))
		for i := range raws {
			parts[i] = raws[i]
		}
		if !bytes.Equal(writeEnvelope(parts), in) {
			t.Errorf("two readings of %q", in)
		}
	})
}

// Elements and documents that partners send never panic the reader.
func FuzzPartnerInput(f *testing.F) {
	f.Add(make([]byte, 32))
	f.Add([]byte(`{"v":1,"what":"return"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if es, err := readElements(in); err == nil {
			out, err := writeElements(es)
			if err != nil || !bytes.Equal(out, in) {
				t.Errorf("elements %x became %x", in, out)
			}
		}
		var n notice
		if decodeCanonical(in, maxNotice, &n) == nil && !bytes.Equal(mustCanonical(n), in) {
			t.Error("a notice has two readings")
		}
		var r recall
		if decodeCanonical(in, maxBody, &r) == nil && !bytes.Equal(mustCanonical(r), in) {
			t.Error("a recall has two readings")
		}
		openCheckpoint(string(in), "x+00000000+AA==")
		generationIn(string(in))
	})
}
