package text

import (
	"fmt"
	"io"
	"testing"

	"causeway/coord"

	"github.com/google/go-cmp/cmp"
)

func TestNearDuplicates(t *testing.T) {
	for _, test := range []struct {
		name, a, b string
		same       bool
	}{
		{"english", "The government has quietly sold the northern port to foreign investors, sources say! https://t.co/abc", "BREAKING: the government has quietly sold the northern port to foreign investors, sources say", true},
		{"english, other", "The government has quietly sold the northern port to foreign investors, sources say", "Heavy rain is expected along the coast from Monday, and ferries may be cancelled", false},
		{"english, denied", "The shipment of chips was stopped at the border on Monday by customs", "The shipment of chips was not stopped at the border on Monday by customs", false},
		{"english, rebuttal", "Officials confirm the port is closed since Monday morning to all foreign ships", "Officials deny the port is closed since Monday morning to all foreign ships", false},
		{"japanese", "政府は北部の港を外国の投資家に密かに売却したと関係者が語った #速報", "政府は北部の港を外国の投資家に密かに売却したと関係者が語った。拡散希望", true},
		{"japanese, denied", "港は月曜日から閉鎖されていると関係者が語ったようだ", "港は月曜日から閉鎖されていないと関係者が語ったようだ", false},
		{"thai", "รัฐบาลขายท่าเรือทางเหนือให้นักลงทุนต่างชาติอย่างลับๆ แหล่งข่าวระบุ", "ด่วน รัฐบาลขายท่าเรือทางเหนือให้นักลงทุนต่างชาติอย่างลับๆ แหล่งข่าวระบุ", true},
		{"thai, denied", "รัฐบาลขายท่าเรือทางเหนือให้นักลงทุนต่างชาติอย่างลับๆ แหล่งข่าวระบุ", "รัฐบาลไม่ขายท่าเรือทางเหนือให้นักลงทุนต่างชาติอย่างลับๆ แหล่งข่าวระบุ", false},
		{"vietnamese", "Chính phủ đã bí mật bán cảng phía bắc cho nhà đầu tư nước ngoài, theo nguồn tin", "Nóng: chính phủ đã bí mật bán cảng phía bắc cho nhà đầu tư nước ngoài, theo nguồn tin!", true},
		{"vietnamese, denied", "Chính phủ đã bí mật bán cảng phía bắc cho nhà đầu tư nước ngoài, theo nguồn tin", "Chính phủ không bí mật bán cảng phía bắc cho nhà đầu tư nước ngoài, theo nguồn tin", false},
		{"indonesian", "Pemerintah diam-diam menjual pelabuhan utara kepada investor asing, kata sumber", "Pemerintah diam-diam menjual pelabuhan utara kepada para investor asing, kata sumber", true},
		{"indonesian, denied", "Pemerintah diam-diam menjual pelabuhan utara kepada investor asing, kata sumber", "Pemerintah tidak menjual pelabuhan utara kepada investor asing diam-diam, kata sumber", false},
		{"russian, denied", "Порт закрыт с понедельника для всех иностранных судов, сообщают источники", "Порт не закрыт с понедельника для всех иностранных судов, сообщают источники", false},
		{"korean", "정부가 북부 항구를 외국 투자자에게 비밀리에 매각했다고 소식통이 전했다", "속보 정부가 북부 항구를 외국 투자자에게 비밀리에 매각했다고 소식통이 전했다", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := NewClusters()
			a, _ := c.Add(test.a)
			b, _ := c.Add(test.b)
			if a < 0 || b < 0 {
				t.Fatalf("below the floor: %q, %q", Normalise(test.a).Text, Normalise(test.b).Text)
			}
			if (a == b) != test.same {
				t.Errorf("same = %v, want %v (similarity %.2f, stances %s, %s)", a == b, test.same,
					jaccard(shingles(Normalise(test.a)), shingles(Normalise(test.b))), Normalise(test.a).Stance, Normalise(test.b).Stance)
			}
		})
	}
}

func TestMarksThatCarryMeaningStay(t *testing.T) {
	for _, pair := range [][2]string{{"が", "か"}, {"mạ đi", "má đi"}, {"й", "и"}} {
		if Normalise(pair[0]).Text == Normalise(pair[1]).Text {
			t.Errorf("%s and %s become one", pair[0], pair[1])
		}
	}
	if got := Normalise("Élévation").Text; got != "elevation" {
		t.Errorf("got %s: accents of Latin letters are folded", got)
	}
}

func TestShortTextsMakeNoTrace(t *testing.T) {
	c := NewClusters()
	for _, s := range []string{"Good morning everyone!", "おはようございます", "สวัสดีตอนเช้า", "", "@a @b https://example.com"} {
		if i, _ := c.Add(s); i != -1 {
			t.Errorf("%q was matched", s)
		}
	}
	if c.Short != 5 {
		t.Errorf("%d short texts counted, want 5", c.Short)
	}
}

// TestClustersDoNotChain: texts drift away step by step; the last has nothing
// to do with the first and must not join it.
func TestClustersDoNotChain(t *testing.T) {
	words := []string{}
	for i := range 60 {
		words = append(words, fmt.Sprintf("word%c%c", 'a'+i%26, 'a'+i/26))
	}
	c := NewClusters()
	first, last := -1, -1
	for start := 0; start+20 <= len(words); start++ {
		s := ""
		for _, w := range words[start : start+20] {
			s += w + " "
		}
		last, _ = c.Add(s)
		if start == 0 {
			first = last
		}
	}
	if first == last {
		t.Error("a chain of small changes joined two different texts")
	}
}

type posts []coord.Post

func (p *posts) Next(b *coord.Batch) error {
	b.Posts = append(b.Posts[:0], *p...)
	*p = nil
	if len(b.Posts) == 0 {
		return io.EOF
	}
	return nil
}

func TestSource(t *testing.T) {
	claim := "The government has quietly sold the northern port to foreign investors, sources say"
	ours := "Our statement: no port was sold, and every contract is public on the ministry's site"
	post := func(kind coord.Kind, object, content string, time int64) coord.Post {
		return coord.Post{Kind: kind, Object: []byte(object), Account: []byte("a" + content), Content: []byte(content), Time: time}
	}
	src := Source(&posts{post(coord.Text, claim+"!!", "2", 20), post(coord.URL, "example.com", "2", 20), post(coord.Text, claim, "1", 10), post(coord.Text, ours, "3", 30)}, ours)
	var got []string
	var b coord.Batch
	for {
		err := src.Next(&b)
		for _, p := range b.Posts {
			got = append(got, fmt.Sprint(p.Kind, " ", string(p.Object), " ", string(p.Content)))
		}
		if err == io.EOF {
			break
		}
	}
	if diff := cmp.Diff([]string{"url example.com 2", "text like:1 1", "text like:1 2"}, got); diff != "" {
		t.Error(diff)
	}
}
