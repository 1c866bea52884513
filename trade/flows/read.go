package flows

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"causeway/trade"
	"causeway/trade/table"
)

// Columns says which column holds what. Empty names are found by the layouts
// the reader knows.
type Columns struct {
	Year, Exporter, Importer, Product, Value, Quantity string
	// Reporter, Partner and Flow describe Comtrade tables, where one row is a
	// report of imports or exports.
	Reporter, Partner, Flow string
}

// layouts are the columns of the known sources, most specific first.
var layouts = []Columns{
	{Year: "t", Exporter: "i", Importer: "j", Product: "k", Value: "v", Quantity: "q"}, // CEPII BACI
	{Year: "refYear", Reporter: "reporterCode", Partner: "partnerCode", Flow: "flowCode", Product: "cmdCode", Value: "primaryValue", Quantity: "netWgt"},
	{Year: "year", Exporter: "exporter", Importer: "importer", Product: "product", Value: "value", Quantity: "quantity"},
	{Year: "year", Exporter: "exporter", Importer: "importer", Product: "hs6", Value: "value", Quantity: "quantity"},
	{Year: "year", Exporter: "country", Product: "hs6", Value: "rel_to_max"}, // world exports relative to the largest
	{Year: "year", Exporter: "exporter", Product: "product", Value: "value", Quantity: "quantity"},
}

// MaxFile bounds one file after decompression.
const MaxFile = 64 << 30

// A Reader collects flows from several files of one or several years.
type Reader struct {
	c *collector
}

// NewReader makes an empty reader.
func NewReader() *Reader { return &Reader{c: newCollector()} }

// A Traced is one source row of a flow.
type Traced struct {
	trade.Source
	Exporter, Importer string  // ISO alpha-3 or the residual's name
	Value, Quantity    float64 // NaN where missing
}

// Watch asks to keep the source rows of a product in a year; call it before
// reading. Traced gives them.
func (r *Reader) Watch(year int, product string) { r.c.watchYear, r.c.watchProduct = year, product }

// Traced lists the source rows of what is watched, in reading order.
func (r *Reader) Traced() []Traced { return r.c.traced }

// trace keeps a watched row.
func (c *collector) trace(name string, line, year int, r row) {
	if c.watchProduct == "" || year != c.watchYear || c.products[r.product] != c.watchProduct {
		return
	}
	c.traced = append(c.traced, Traced{trade.Source{File: name, Row: line}, c.places[r.exporter].Code, c.places[r.importer].Code, r.value, r.quantity})
}

// Set ends reading.
func (r *Reader) Set() (*Set, error) { return r.c.finish() }

// columns holds positions, -1 where the source has none.
type columns struct {
	year, exporter, importer, product, value, quantity int
	reporter, partner, flow                            int
	most                                               int
}

// locate finds the columns in a header.
func locate(name string, header []string, want Columns) (columns, error) {
	at := map[string]int{}
	for i, h := range header {
		h = strings.TrimSpace(h)
		if _, twice := at[strings.ToLower(h)]; twice {
			return columns{}, fmt.Errorf("%s: column %q stands twice in the header; rename one", name, h)
		}
		at[strings.ToLower(h)] = i
	}
	find := func(name string) int {
		if i, ok := at[strings.ToLower(name)]; ok && name != "" {
			return i
		}
		return -1
	}
	for _, l := range layouts {
		l = override(l, want)
		c := columns{find(l.Year), find(l.Exporter), find(l.Importer), find(l.Product), find(l.Value), find(l.Quantity), find(l.Reporter), find(l.Partner), find(l.Flow), 0}
		reports := l.Reporter != "" && want.Exporter == ""
		if c.product < 0 || c.value < 0 || c.year < 0 || (reports && (c.reporter < 0 || c.partner < 0 || c.flow < 0)) || (!reports && c.exporter < 0) || (l.Importer != "" && c.importer < 0) {
			continue
		}
		if !reports {
			c.reporter = -1
		}
		c.most = max(c.year, c.exporter, c.importer, c.product, c.value, c.quantity, c.reporter, c.partner, c.flow)
		return c, nil
	}
	for _, n := range []string{want.Year, want.Exporter, want.Importer, want.Product, want.Value, want.Quantity} {
		if n != "" && find(n) < 0 {
			hint := ""
			if near, ok := table.Nearest(n, header); ok {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			return columns{}, fmt.Errorf("%s: no column %q%s", name, n, hint)
		}
	}
	return columns{}, fmt.Errorf("%s: no known layout in the columns %s; want t,i,j,k,v,q (BACI), Comtrade's refYear,reporterCode,flowCode,partnerCode,cmdCode,primaryValue, or year,exporter,importer,product,value", name, strings.Join(header, ", "))
}

func override(l, want Columns) Columns {
	for _, f := range []struct {
		into *string
		v    string
	}{{&l.Year, want.Year}, {&l.Exporter, want.Exporter}, {&l.Importer, want.Importer}, {&l.Product, want.Product}, {&l.Value, want.Value}, {&l.Quantity, want.Quantity}} {
		if f.v != "" {
			*f.into = f.v
		}
	}
	return l
}

// CSV reads one file, gzipped or not. Reading and parsing overlap.
func (r *Reader) CSV(name string, in io.Reader, want Columns) error {
	in, err := table.Decompress(name, in, MaxFile)
	if err != nil {
		return err
	}
	chunks := make(chan []byte, 4)
	failed := make(chan error, 1)
	stop := make(chan struct{})
	defer close(stop)
	go func() { failed <- split(in, chunks, stop) }()
	p := &parser{c: r.c, name: name, want: want}
	for chunk := range chunks {
		if err := p.parse(chunk); err != nil {
			return err
		}
	}
	if err := <-failed; err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if !p.started {
		return fmt.Errorf("read %s: the file is empty; want a header row and flows", name)
	}
	return nil
}

// split cuts the input into chunks of whole lines.
func split(in io.Reader, chunks chan<- []byte, stop <-chan struct{}) error {
	defer close(chunks)
	const size = 1 << 20
	var rest []byte
	for {
		buf := make([]byte, len(rest)+size)
		copy(buf, rest)
		n, err := io.ReadFull(in, buf[len(rest):])
		buf = buf[:len(rest)+n]
		end := err != nil
		if end && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		cut := len(buf)
		if !end {
			cut = bytes.LastIndexByte(buf, '\n') + 1
		}
		rest = buf[cut:]
		if len(rest) > 16*size {
			return errors.New("a line is longer than 16 MB")
		}
		if cut > 0 {
			select {
			case chunks <- buf[:cut]:
			case <-stop:
				return nil
			}
		}
		if end {
			return nil
		}
	}
}

// parser turns lines into rows.
type parser struct {
	c       *collector
	name    string
	want    Columns
	line    int
	started bool
	at      columns
	comma   byte
	fields  [][]byte
}

func (p *parser) parse(chunk []byte) error {
	for len(chunk) > 0 {
		line := chunk
		if i := bytes.IndexByte(chunk, '\n'); i >= 0 {
			line, chunk = chunk[:i], chunk[i+1:]
		} else {
			chunk = nil
		}
		p.line++
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !p.started {
			if err := p.header(line); err != nil {
				return err
			}
			continue
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := p.cut(line); err != nil {
			return err
		}
		if err := p.row(); err != nil {
			return fmt.Errorf("%s line %d: %w", p.name, p.line, err)
		}
	}
	return nil
}

func (p *parser) header(line []byte) error {
	line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	p.comma = ','
	if bytes.IndexByte(line, ',') < 0 {
		for _, c := range []byte("\t;") {
			if bytes.IndexByte(line, c) >= 0 {
				p.comma = c
				break
			}
		}
	}
	if err := p.cut(line); err != nil {
		return err
	}
	header := make([]string, len(p.fields))
	for i, f := range p.fields {
		header[i] = string(f)
	}
	var err error
	p.at, err = locate(p.name, header, p.want)
	p.started = true
	return err
}

// cut splits a line into trimmed fields.
func (p *parser) cut(line []byte) error {
	p.fields = p.fields[:0]
	if bytes.IndexByte(line, '"') >= 0 {
		r := csv.NewReader(bytes.NewReader(line))
		r.Comma, r.FieldsPerRecord = rune(p.comma), -1
		rec, err := r.Read()
		if err != nil {
			return fmt.Errorf("%s line %d: %w", p.name, p.line, err)
		}
		for _, f := range rec {
			p.fields = append(p.fields, bytes.TrimSpace([]byte(f)))
		}
		return nil
	}
	for {
		i := bytes.IndexByte(line, p.comma)
		if i < 0 {
			p.fields = append(p.fields, bytes.TrimSpace(line))
			return nil
		}
		p.fields = append(p.fields, bytes.TrimSpace(line[:i]))
		line = line[i+1:]
	}
}

// row reads the fields of a line.
func (p *parser) row() error {
	if len(p.fields) <= p.at.most {
		return fmt.Errorf("%d cells; the header has more", len(p.fields))
	}
	exporter, importer, keep, err := p.ends()
	if err != nil || !keep {
		return err
	}
	var r row
	aggregate, total := false, false
	if r.product, aggregate, err = p.c.productOf(p.fields[p.at.product]); err != nil {
		return err
	}
	if aggregate {
		p.c.aggregates++
		return nil
	}
	if r.exporter, total, err = p.c.placeOf(exporter); err != nil || total {
		p.c.worldRows++
		return err
	}
	if importer == nil {
		r.importer, err = p.c.world()
	} else {
		r.importer, total, err = p.c.placeOf(importer)
	}
	if err != nil || total {
		p.c.worldRows++
		return err
	}
	year, err := strconv.Atoi(string(p.fields[p.at.year]))
	if err != nil {
		return fmt.Errorf("year %q; want a year such as 2022", p.fields[p.at.year])
	}
	if r.year, err = p.c.yearOf(year); err != nil {
		return err
	}
	if r.value, err = number(p.fields[p.at.value]); err != nil {
		return fmt.Errorf("value %w", err)
	}
	r.quantity = math.NaN()
	if p.at.quantity >= 0 {
		if r.quantity, err = number(p.fields[p.at.quantity]); err != nil {
			return fmt.Errorf("quantity %w", err)
		}
	}
	p.c.trace(p.name, p.line, year, r)
	return p.c.add(r)
}

// ends gives exporter and importer. A Comtrade row counts where the importer
// reports; exports reported by the other side would count the trade twice.
func (p *parser) ends() (exporter, importer []byte, keep bool, err error) {
	if p.at.reporter < 0 {
		if p.at.importer >= 0 {
			importer = p.fields[p.at.importer]
		}
		return p.fields[p.at.exporter], importer, true, nil
	}
	reporter, partner := p.fields[p.at.reporter], p.fields[p.at.partner]
	switch flow := string(p.fields[p.at.flow]); flow {
	case "M", "1", "Import", "Imports":
		return partner, reporter, true, nil
	case "X", "2", "Export", "Exports", "RX", "RM", "3", "4", "DX", "FM", "MIP", "XIP", "MOP", "XOP":
		p.c.exportRows++
		return nil, nil, false, nil
	default:
		return nil, nil, false, fmt.Errorf("flow %q; want M (imports) or X (exports)", flow)
	}
}

// world is the importer of a source that has exports only.
func (c *collector) world() (uint16, error) {
	if at, ok := c.byCode[NoImporter]; ok {
		return at, nil
	}
	at := uint16(len(c.places))
	c.byCode[NoImporter] = at
	c.places = append(c.places, worldPlace)
	return at, nil
}

// number reads a value: a plain decimal, or missing (NaN). A negative value is
// an error.
func number(text []byte) (float64, error) {
	if v, ok := fast(text); ok {
		return v, nil
	}
	c := table.ParseCell(string(text))
	switch {
	case c.Known() && c.Value < 0:
		return 0, fmt.Errorf("%s is negative; a flow is zero or more", text)
	case c.Known():
		return c.Value, nil
	case c.Kind == table.Missing && c.Reason == "text, not a number":
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return math.NaN(), nil
}

// powers are exact in float64.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// fast reads plain decimals of up to 15 digits, for which digits / 10^n is
// correctly rounded.
func fast(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 16 {
		return 0, false
	}
	n, digits, point := uint64(0), 0, -1
	for i, b := range text {
		switch {
		case b >= '0' && b <= '9':
			n = 10*n + uint64(b-'0')
			digits++
		case b == '.' && point < 0:
			point = i
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	if point < 0 {
		return float64(n), true
	}
	return float64(n) / powers[len(text)-1-point], true
}
