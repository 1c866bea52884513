package read

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Clock is the form of a time column. One input has one form: a column that
// changes its form half way is refused.
type Clock uint8

const (
	Auto         Clock = iota // decided by the first row
	Seconds                   // Unix seconds, fractions allowed
	Milliseconds              // Unix milliseconds
	Microseconds
	ISO     // 2006-01-02T15:04:05Z or with an offset; a time zone is required
	UTC     // 2006-01-02 15:04:05, no zone, read as UTC (CooRTweet's prep_data)
	Twitter // Mon Jan 02 15:04:05 -0700 2006
)

var clockNames = []string{"auto", "seconds", "milliseconds", "microseconds", "iso", "utc", "twitter"}

func (c Clock) String() string { return clockNames[c] }

// ParseClock is the inverse of [Clock.String].
func ParseClock(s string) (Clock, error) {
	for i, n := range clockNames {
		if n == s {
			return Clock(i), nil
		}
	}
	return 0, fmt.Errorf("unknown clock %q: want one of %v", s, clockNames)
}

// MarshalJSON and UnmarshalJSON use the name.
func (c Clock) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

func (c *Clock) UnmarshalJSON(b []byte) (err error) {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*c, err = ParseClock(s)
	return err
}

// tooLateForSeconds separates seconds from milliseconds: as seconds it is the
// year 5138, as milliseconds 1973.
const tooLateForSeconds = 100_000_000_000

// guess decides the form by one value.
func guess(v []byte) Clock {
	if n, ok := parseDecimal(v, 1); ok {
		switch n = abs(n); {
		case n < tooLateForSeconds:
			return Seconds
		case n < tooLateForSeconds*1000:
			return Milliseconds
		}
		return Microseconds
	}
	switch {
	case len(v) >= 11 && v[4] == '-' && (v[10] == 'T' || v[10] == ' ' || v[10] == 't'):
		tail := v[11:]
		if bytes.ContainsAny(tail, "Zz+-") {
			return ISO
		}
		return UTC
	case len(v) > 20 && v[3] == ' ':
		return Twitter
	}
	return Auto
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// parse reads v as microseconds since 1970.
func (c Clock) parse(v []byte) (int64, string) {
	switch c {
	case Seconds:
		n, ok := parseDecimal(v, 1_000_000)
		switch {
		case !ok:
			if _, whole := parseDecimal(v, 1); whole {
				return 0, "not a time in Unix seconds: too large, perhaps milliseconds"
			}
			return 0, "not a time in Unix seconds"
		case abs(n) >= tooLateForSeconds*1_000_000:
			return 0, "looks like milliseconds where earlier rows hold seconds"
		}
		return n, ""
	case Milliseconds:
		n, ok := parseDecimal(v, 1000)
		if !ok {
			return 0, "not a time in Unix milliseconds"
		}
		if abs(n) < tooLateForSeconds*1000 {
			return 0, "looks like seconds where earlier rows hold milliseconds"
		}
		return n, ""
	case Microseconds:
		n, ok := parseDecimal(v, 1)
		if !ok || abs(n) < tooLateForSeconds*1000 {
			return 0, "not a time in Unix microseconds"
		}
		return n, ""
	case ISO:
		return parseLayouts(v, "not an ISO 8601 time with a zone", time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00")
	case UTC:
		return parseLayouts(v, "not a time like 2006-01-02 15:04:05", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04")
	case Twitter:
		return parseLayouts(v, "not a time like Mon Jan 02 15:04:05 +0000 2006", time.RubyDate)
	}
	return 0, "not a time: want Unix seconds or milliseconds, or ISO 8601 with a zone"
}

func parseLayouts(v []byte, reason string, layouts ...string) (int64, string) {
	for _, l := range layouts {
		if t, err := time.Parse(l, string(v)); err == nil {
			return t.UnixMicro(), ""
		}
	}
	return 0, reason
}

// parseDecimal reads a decimal number times scale (1, 1000 or 1,000,000),
// exactly; digits beyond a microsecond must be zero or are rounded down, and an
// exponent is read the slow way.
func parseDecimal(v []byte, scale int64) (int64, bool) {
	i, neg, whole := 0, false, scale
	if len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		neg, i = v[0] == '-', 1
	}
	var n int64
	digits, point := 0, false
	for ; i < len(v); i++ {
		c := v[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
			if point {
				if scale == 1 {
					continue
				}
				scale /= 10
			}
			if n > (1<<63-10)/10 {
				return 0, false
			}
			n = n*10 + int64(c-'0')
		case c == '.' && !point:
			point = true
		case (c == 'e' || c == 'E') && digits > 0:
			f, err := strconv.ParseFloat(string(v), 64)
			f *= float64(whole)
			if err != nil || f > 1<<62 || f < -(1<<62) {
				return 0, false
			}
			return int64(f), true
		default:
			return 0, false
		}
	}
	if digits == 0 || n > (1<<63-1)/scale {
		return 0, false
	}
	if n *= scale; neg {
		n = -n
	}
	return n, true
}
