package stix

import (
	"bytes"
	"testing"
)

// loads are real objects: half of the bytes of ATT&CK are long descriptions,
// DISARM is nearer to what agencies exchange.
var loads = map[string]string{"attack": "attack/mobile-attack-17.1.json.gz", "disarm": "disarm/DISARM_v1.7.stix.json.gz"}

func BenchmarkCheck(b *testing.B) {
	for name, file := range loads {
		var texts [][]byte
		size := 0
		for it, err := range Scan(bytes.NewReader(shared(b, file)), Limits{}) {
			if err != nil || it.Err != nil {
				b.Fatal(err, it.Err)
			}
			texts = append(texts, it.Object.Raw())
			size += len(it.Object.text)
		}
		report := func(b *testing.B) {
			b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "objects/s")
			b.SetBytes(int64(size))
		}
		b.Run(name+"/parse", func(b *testing.B) {
			for range b.N {
				for _, t := range texts {
					ParseObject(t)
				}
			}
			report(b)
		})
		b.Run(name+"/parse+musts", func(b *testing.B) {
			for range b.N {
				for _, t := range texts {
					o, _ := ParseObject(t)
					Broken(o)
				}
			}
			report(b)
		})
		b.Run(name+"/parse+musts+shoulds", func(b *testing.B) {
			for range b.N {
				for _, t := range texts {
					o, _ := ParseObject(t)
					Validate(o)
				}
			}
			report(b)
		})
		b.Run(name+"/scan", func(b *testing.B) {
			text := shared(b, file)
			b.ResetTimer()
			for range b.N {
				for range Scan(bytes.NewReader(text), Limits{}) {
				}
			}
			report(b)
		})
	}
}
