package statement

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Samples are a starting set written by the project from the positions the
// project was asked to serve and from public facts: a vision, what the
// cooperation is, and what it is not, each with eight lines in English and
// Japanese. Every one is marked as sample: it is nobody's position until an
// agency has edited, dated and signed it. They run for a year from the given
// day (the vision for two).
//
// Texts of the lines follow the order of the tables below, and a locator names
// the public document; hashes are for the agency to add when it fetches them.
func Samples(from time.Time, by []Signatory, policy Policy, contact, corrections string) ([]*Statement, error) {
	from = from.UTC().Truncate(24 * time.Hour)
	var out []*Statement
	for _, x := range []struct {
		kind, polarity string
		years          int
		title, body    [2]string
		lines          []sampleLine
	}{
		{"vision", "vision", 2, [2]string{"What we stand for", "私たちが目指すもの"},
			[2]string{"Security in the North Atlantic and in the Indo-Pacific is connected. We work with partners, and not necessarily in each other's region. We publish what we do together, and what we do not.",
				"北大西洋とインド太平洋の安全保障はつながっている。私たちはパートナーと協力するが、それは互いの地域に出向くこととは限らない。何を共に行い、何を行わないかを公表する。"}, visionLines},
		{"cooperation-is", "entails", 1, [2]string{"What the cooperation is", "協力とは何か"},
			[2]string{"Practical work between agencies, listed and dated. Each line names its basis, how to check it, and what would show it to be false.",
				"機関どうしの実務であり、内容と期間を示す。各項目に、根拠、確かめ方、誤りを示す事実を記す。"}, isLines},
		{"cooperation-is-not", "does-not-entail", 1, [2]string{"What the cooperation is not", "協力ではないもの"},
			[2]string{"The limits of the cooperation for the period stated. Each line can be tested by anyone with public sources.",
				"記載した期間における協力の限界。各項目は、公開情報により誰でも検証できる。"}, isNotLines},
	} {
		until := from.AddDate(x.years, 0, 0)
		s := &Statement{ID: sampleID(x.kind), Version: 1, Kind: x.kind, Sample: true, ValidFrom: from, ValidUntil: &until,
			Authentic: []string{"en", "ja"}, Signatories: by, Policy: policy, Contact: contact, CorrectionsU: corrections}
		en, ja := Text{Title: x.title[0], Body: x.body[0]}, Text{Title: x.title[1], Body: x.body[1]}
		for _, l := range x.lines {
			en.Lines, ja.Lines = append(en.Lines, TextLine{l.id, l.en}), append(ja.Lines, TextLine{l.id, l.ja})
			line := Line{ID: l.id, Polarity: x.polarity, Anchor: l.anchor, Status: "standing"}
			if x.polarity != "vision" {
				line.Test, line.Falsifier, line.NotFalsifier = l.test, l.falsifier, l.not
				line.From, line.Until = from.Format(time.DateOnly), until.Format(time.DateOnly)
				line.NextCheck = from.AddDate(0, 3, 0).Format(time.DateOnly)
				line.LastResult = "not yet checked: this is a sample"
			}
			s.Lines = append(s.Lines, line)
			s.Evidence = append(s.Evidence, Evidence{ID: "e-" + l.id, Supports: []string{l.id}, What: l.what, Locator: l.locator})
		}
		s.Texts = map[string]Text{"en": en, "ja": ja}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("sample %s: %w", x.kind, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// sampleID is the same for everybody, so that a sample is recognised.
func sampleID(kind string) string {
	h := sha256.Sum256([]byte("causeway sample statement " + kind))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

type sampleLine struct {
	id, en, ja, anchor, test, falsifier string
	not                                 []string
	what, locator                       string
}

const (
	treaty     = "https://www.nato.int/cps/en/natohq/official_texts_17120.htm"
	vilnius    = "https://www.nato.int/cps/en/natohq/official_texts_217320.htm"
	washington = "https://www.nato.int/cps/en/natohq/official_texts_227678.htm"
	unclos     = "https://www.un.org/depts/los/convention_agreements/texts/unclos/unclos_e.pdf"
	mofa       = "https://www.mofa.go.jp/"
	aseanSite  = "https://asean.org/"
)

// visionLines are values. They cannot be tested and must not read as
// commitments; each belongs to testable lines of the other two statements.
var visionLines = []sampleLine{
	{id: "rules", en: "Relations between states rest on law, and disputes are settled without force.", ja: "国家間の関係は法に基づき、紛争は武力によらず解決される。",
		anchor: "Charter of the United Nations, Articles 1 and 2", what: "Charter of the United Nations", locator: "https://www.un.org/en/about-us/un-charter"},
	{id: "seas", en: "The sea is open to all under the law of the sea.", ja: "海は国際海洋法の下ですべての者に開かれている。",
		anchor: "United Nations Convention on the Law of the Sea, Part VII", what: "United Nations Convention on the Law of the Sea", locator: unclos},
	{id: "asean", en: "ASEAN-led formats are at the centre of cooperation in South-East Asia.", ja: "東南アジアの協力の中心は、ASEANが主導する枠組みである。",
		anchor: "ASEAN Outlook on the Indo-Pacific, June 2019", what: "ASEAN Outlook on the Indo-Pacific", locator: aseanSite},
	{id: "with-partners", en: "We work with partners, and not necessarily in the region.", ja: "パートナーと共に働くが、それは必ずしもその地域においてではない。",
		anchor: "Washington Summit Declaration, 10 July 2024, on the four partners", what: "Washington Summit Declaration", locator: washington},
}

var isLines = []sampleLine{
	{id: "japan-areas", en: "Japan and NATO carry out practical work in the 16 areas of their programme of 12 July 2023, or of the programme that follows it.", ja: "日本とNATOは、2023年7月12日の協力計画またはその後継の計画に掲げる16の分野で実務協力を行う。",
		anchor: "Individually Tailored Partnership Programme between NATO and Japan for 2023-2026", test: "The published programme and joint press statements, read every three months",
		falsifier: "The programme ends and no successor is published", not: []string{"Slow progress in one area"}, what: "The programme as published by the Ministry of Foreign Affairs of Japan", locator: mofa},
	{id: "korea-areas", en: "The Republic of Korea and NATO carry out practical work in the 11 areas of their programme of 11 July 2023, or of the programme that follows it.", ja: "韓国とNATOは、2023年7月11日の協力計画またはその後継の計画に掲げる11の分野で実務協力を行う。",
		anchor: "Individually Tailored Partnership Programme between NATO and the Republic of Korea for 2023-2026", test: "The published programme and joint press statements, read every three months",
		falsifier: "The programme ends and no successor is published", not: []string{"A meeting that is postponed"}, what: "NATO's page on relations with the Republic of Korea", locator: "https://www.nato.int/"},
	{id: "four-projects", en: "Allies and the four partners run joint projects on Ukraine, cyber defence, disinformation and technology.", ja: "同盟国と4か国のパートナーは、ウクライナ、サイバー防衛、偽情報、技術に関する共同事業を行う。",
		anchor: "Washington Summit Declaration, 10 July 2024", test: "Published activities of each project, read every six months",
		falsifier: "No public activity on a project for 12 months", not: []string{"A project that is renamed"}, what: "Washington Summit Declaration", locator: washington},
	{id: "cyber-centre", en: "Japan takes part in the Cooperative Cyber Defence Centre of Excellence in Tallinn.", ja: "日本はタリンのサイバー防衛協力センターに参加している。",
		anchor: "Membership of the centre since November 2022", test: "The list of participating nations on the centre's site, read every six months",
		falsifier: "Japan is no longer on the list", not: []string{"An exercise in which Japan does not play"}, what: "The centre's list of participants", locator: "https://ccdcoe.org/"},
	{id: "meetings", en: "Leaders or ministers of the four partners take part in a NATO meeting at least once in each calendar year of the period.", ja: "4か国のパートナーの首脳または閣僚は、期間中の各暦年に少なくとも一度、NATOの会合に出席する。",
		anchor: "Vilnius Summit Communique, 11 July 2023, on dialogue with the four partners", test: "Published programmes of meetings, read every three months",
		falsifier: "A calendar year ends without such a meeting", not: []string{"One leader who sends a minister"}, what: "Vilnius Summit Communique", locator: vilnius},
	{id: "asean-summit", en: "Japan and ASEAN meet at summit level in ASEAN's own format in each calendar year of the period.", ja: "日本とASEANは、期間中の各暦年に、ASEANの枠組みで首脳会議を行う。",
		anchor: "Joint Vision Statement on ASEAN-Japan Friendship and Cooperation, 17 December 2023", test: "Chair's statements of the ASEAN-Japan summits, read each year",
		falsifier: "A calendar year ends without an ASEAN-Japan summit", not: []string{"A summit held by video"}, what: "Chair's statements", locator: aseanSite},
	{id: "law-of-the-sea", en: "When the signatories speak of freedom of navigation they name the article of the law of the sea they rely on.", ja: "署名者は、航行の自由に言及するとき、依拠する海洋法の条文を示す。",
		anchor: "United Nations Convention on the Law of the Sea, Articles 17, 38, 58 and 87", test: "Statements of the signatories on this site, read every three months",
		falsifier: "A statement on this site that speaks of freedom of navigation and names no article", not: []string{"Remarks at a press conference"}, what: "United Nations Convention on the Law of the Sea", locator: unclos},
	{id: "in-the-open", en: "Each public statement under this cooperation is signed, has an end date and stays readable after a correction.", ja: "この協力に関する公表文は、署名され、終了日を持ち、訂正後も読むことができる。",
		anchor: "The log and the pages of this site", test: "Any statement of this site, checked with the published verifier at any time",
		falsifier: "A statement without a signature or an end date, or one that is gone from the log", not: []string{"A retraction, which has no end date"}, what: "The written protocol of the statements", locator: "https://c2sp.org/tlog-tiles"},
}

var isNotLines = []sampleLine{
	{id: "forces", en: "It places no forces under NATO command in the Indo-Pacific in the period.", ja: "期間中、インド太平洋にNATOの指揮下の部隊を置かない。",
		anchor: "North Atlantic Treaty, Articles 5 and 6; no mandate for the region", test: "Published decisions of the North Atlantic Council and orders of its commands, read each month",
		falsifier: "A published decision of the Council or an order of a command that deploys forces there", not: []string{"National deployments of single Allies", "Port calls", "Bilateral exercises"}, what: "North Atlantic Treaty", locator: treaty},
	{id: "membership", en: "It opens no membership of the Alliance to states of the Indo-Pacific in the period.", ja: "期間中、インド太平洋の国に同盟への加盟を開かない。",
		anchor: "North Atlantic Treaty, Article 10: European States", test: "Published invitations and protocols, read every three months",
		falsifier: "An invitation to a state outside Europe, or an amendment of Article 10", not: []string{"Partnership programmes", "Attendance at a summit"}, what: "North Atlantic Treaty, Article 10", locator: treaty},
	{id: "area", en: "It leaves the area of collective defence as Article 6 sets it.", ja: "集団防衛の対象地域は第6条の定めるとおりとし、変更しない。",
		anchor: "North Atlantic Treaty, Article 6", test: "Published protocols and decisions under Article 5, read every three months",
		falsifier: "A protocol that changes Article 6, or a decision under Article 5 for an attack in the Indo-Pacific", not: []string{"A consultation under Article 4, which has no geographic limit", "Statements about cyber acts against an Ally"}, what: "North Atlantic Treaty, Article 6", locator: treaty},
	{id: "office", en: "It opens no liaison office of NATO in Tokyo in the period.", ja: "期間中、東京にNATOの連絡事務所を開設しない。",
		anchor: "Statement of a NATO official of June 2025 that an office is not under discussion, by press report", test: "Host agreements and budget lines, read every three months",
		falsifier: "A host agreement, an opening, or a line for such an office in a published budget", not: []string{"Visits", "Contact-point embassies"}, what: "NATO's page on relations with Japan", locator: "https://www.nato.int/"},
	{id: "obligations", en: "It puts no partner under a duty of collective defence.", ja: "パートナー国に集団防衛の義務を負わせない。",
		anchor: "North Atlantic Treaty, Article 5: an attack against one or more of the Parties; partners are no Parties", test: "Published agreements with partners, read every six months",
		falsifier: "A published agreement by which a partner takes on a duty under Article 5", not: []string{"Bilateral alliances that partners have with single Allies"}, what: "North Atlantic Treaty, Article 5", locator: treaty},
	{id: "rival-body", en: "It founds no standing organisation in South-East Asia beside those led by ASEAN in the period.", ja: "期間中、東南アジアにおいて、ASEAN主導の枠組みと並ぶ常設の機関を設立しない。",
		anchor: "ASEAN Outlook on the Indo-Pacific, June 2019, on ASEAN centrality", test: "Published decisions of the signatories, read every three months",
		falsifier: "A published decision of the signatories that founds an organisation with members and a secretariat there", not: []string{"Bilateral programmes that members of ASEAN ask for"}, what: "ASEAN Outlook on the Indo-Pacific", locator: aseanSite},
	{id: "bases", en: "It establishes no base or headquarters of NATO in the Indo-Pacific in the period.", ja: "期間中、インド太平洋にNATOの基地や司令部を設けない。",
		anchor: "The published command structure of the Alliance", test: "The published command structure and host-nation agreements, read every six months",
		falsifier: "A host-nation agreement for a base or headquarters in the region", not: []string{"Visits by staff", "Officers exchanged with a partner's headquarters"}, what: "NATO's page on its command structure", locator: "https://www.nato.int/"},
	{id: "no-choice", en: "It makes no trade, loan or aid to a state of the region depend on joining the cooperation.", ja: "地域の国への貿易、融資、援助について、この協力への参加を条件としない。",
		anchor: "Published agreements of the signatories with states of the region", test: "Agreements published by the signatories in the period, read every six months",
		falsifier: "A published agreement with a clause that makes trade, a loan or aid depend on taking part", not: []string{"Rules that bind every recipient alike"}, what: "Treaty series of the signatories, as published", locator: "https://treaties.un.org/"},
}
