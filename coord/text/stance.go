package text

import (
	"fmt"
	"strings"

	xlanguage "golang.org/x/text/language"
)

// language is for lower-casing: the root locale, so that no machine's setting
// matters.
var language = xlanguage.Und

// negations and denials by word, for scripts with spaces, and by substring, for
// those without. Accents are folded as in Clean.Text; Vietnamese keeps them.
var (
	negationWords = words("not no never none dont doesnt didnt isnt arent wasnt werent wont cant cannot without ne pas jamais non nicht kein keine keinen nie no nunca ni nao " +
		"не нет никогда ни без không chưa chẳng tidak bukan belum tak jangan tanpa 안 않 없")
	denialWords = words("deny denies denied denial false fake hoax debunk debunked untrue refute refuted rebut myth misleading nier dement fausse faux infox leugnen dementiert falsch fälschung " +
		"опровергает опроверг опровергли отрицает отрицал ложь фейк phủ bác giả membantah bantah hoaks palsu keliru")
	negationParts = []string{"没", "沒", "不", "未", "無い", "ない", "ません", "ず、", "なかった", "ไม่", "มิได้", "않", "없", "아니"}
	denialParts   = []string{"否认", "否認", "否定", "辟谣", "闢謠", "谣言", "デマ", "誤り", "虚偽", "嘘", "ปฏิเสธ", "เท็จ", "ข่าวปลอม", "부인", "허위", "가짜"}
)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// stance counts negations and denials. Two texts agree when the counts do: a
// rewording that drops one is then missed, which is the safe side.
func stance(c Clean) string {
	negations, denials := 0, 0
	if c.Script == Alphabetic || c.Script == Hangul {
		for w := range strings.SplitSeq(c.Text, " ") {
			if negationWords[w] {
				negations++
			}
			if denialWords[w] {
				denials++
			}
		}
	}
	if c.Script != Alphabetic {
		for _, p := range negationParts {
			negations += strings.Count(c.Text, p)
		}
		for _, p := range denialParts {
			denials += strings.Count(c.Text, p)
		}
	}
	return fmt.Sprintf("%d/%d", negations, denials)
}
