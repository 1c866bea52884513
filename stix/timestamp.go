package stix

import (
	"fmt"
	"strings"
	"time"
)

// Timestamp is an instant as its producer wrote it (STIX 2.16): RFC 3339 in
// UTC with any number of fraction digits. The text is kept because the digits
// are part of the object and of its version; comparison is by instant and
// exact at every length.
type Timestamp struct {
	seconds int64 // since 1970
	text    string
}

// ParseTimestamp reads "YYYY-MM-DDTHH:MM:SS[.s…]Z". The date must exist;
// second 60 is allowed where a leap second can stand, in the last minute of a
// month (RFC 3339 section 5.7).
func ParseTimestamp(s string) (Timestamp, error) {
	if !timestampShape(s) {
		return Timestamp{}, fmt.Errorf("%q is not a timestamp of the form 2026-01-31T09:30:00.000Z", s)
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return Timestamp{}, fmt.Errorf("%q names a date or time that does not exist", s)
	}
	if second == 60 && (hour != 23 || minute != 59 || day != daysIn(year, month)) {
		return Timestamp{}, fmt.Errorf("%q has second 60 where no leap second can be", s)
	}
	days := daysSince1970(year, month, day)
	return Timestamp{int64(days)*86400 + int64(hour*3600+minute*60+second), s}, nil
}

func timestampShape(s string) bool {
	if len(s) < 20 || s[len(s)-1] != 'Z' {
		return false
	}
	const shape = "0000-00-00T00:00:00"
	for i := range len(shape) {
		if shape[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != shape[i] {
			return false
		}
	}
	if len(s) == 20 {
		return true
	}
	if s[19] != '.' || len(s) == 21 {
		return false
	}
	for _, c := range []byte(s[20 : len(s)-1]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts days of the proleptic Gregorian calendar, with the year
// beginning in March so that the leap day is its last.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year, month = year-1, month+12
	}
	era := year
	if era < 0 {
		era -= 399
	}
	era /= 400
	inEra := year - era*400
	return era*146097 + inEra*365 + inEra/4 - inEra/100 + (153*(month-3)+2)/5 + day - 1 - 719468
}

// TimestampOf is t in UTC with three fraction digits, or six where t has
// microseconds; what lies below is cut off. Years outside 0 to 9999 cannot be
// written and give the zero Timestamp.
func TimestampOf(t time.Time) Timestamp {
	t = t.UTC().Truncate(time.Microsecond)
	layout := "2006-01-02T15:04:05.000Z"
	if t.Nanosecond()%1e6 != 0 {
		layout = "2006-01-02T15:04:05.000000Z"
	}
	ts, err := ParseTimestamp(t.Format(layout))
	if err != nil {
		return Timestamp{}
	}
	return ts
}

// String is the producer's text; "" for the zero Timestamp.
func (t Timestamp) String() string { return t.text }

// MarshalText writes the producer's text, so that a Timestamp can stand in what
// Builder.Set is given.
func (t Timestamp) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// IsZero says that there is no timestamp.
func (t Timestamp) IsZero() bool { return t.text == "" }

// Time is the instant, cut to nanoseconds; the zero time.Time for the zero
// Timestamp. A leap second is the first second of the next minute.
func (t Timestamp) Time() time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.Unix(t.seconds, int64(t.fraction(9))).UTC()
}

// Micro is the instant in microseconds since 1970, cut: an integer key that
// orders as Compare does for text with up to six fraction digits.
func (t Timestamp) Micro() int64 {
	return t.seconds*1e6 + int64(t.fraction(6))
}

// fraction is the first n fraction digits as a number.
func (t Timestamp) fraction(n int) (f int) {
	digits := t.digits()
	for i := range n {
		f *= 10
		if i < len(digits) {
			f += int(digits[i] - '0')
		}
	}
	return f
}

// digits are those after the dot.
func (t Timestamp) digits() string {
	if len(t.text) <= 20 {
		return ""
	}
	return t.text[20 : len(t.text)-1]
}

// Compare is -1, 0 or 1 as t is before, at or after u. The zero Timestamp is
// before every other.
func (t Timestamp) Compare(u Timestamp) int {
	switch {
	case t.IsZero() || u.IsZero():
		return min(len(t.text), 1) - min(len(u.text), 1)
	case t.seconds != u.seconds:
		if t.seconds < u.seconds {
			return -1
		}
		return 1
	}
	return strings.Compare(strings.TrimRight(t.digits(), "0"), strings.TrimRight(u.digits(), "0"))
}
