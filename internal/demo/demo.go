// Package demo sets up nodes on one machine and tells a story on them: a
// campaign that Tokyo finds and shares with Brussels alone, and a coercion
// case that Brussels and Canberra work on together. Everything it does goes
// through the same rooms as a real node's acts; nothing is put in by the side.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

// Place is one node of the demo.
type Place struct {
	Slug, Nation, Name string
	People             []people.Person
}

// everyone gives the people of a place: one of each, so that the two-person
// rules can be tried.
func everyone(nation string, analyst, officer, security, second, voice people.Person) []people.Person {
	analyst.Roles = []people.Role{people.Analyst}
	officer.Roles = []people.Role{people.ReleaseOfficer, people.Liaison}
	security.Roles = []people.Role{people.SecurityOfficer}
	second.Roles = []people.Role{people.SecurityOfficer, people.ReleaseOfficer, people.Analyst, people.LegalAdviser}
	voice.Roles = []people.Role{people.Spokesperson}
	all := []people.Person{analyst, officer, security, second, voice}
	for i := range all {
		all[i].Nation = nation
	}
	return all
}

func person(id, name, lang, zone string) people.Person {
	return people.Person{ID: id, Name: name, Lang: lang, Zone: zone}
}

// Places are the nodes, in order. The first three carry the story; the others
// join with --nodes. Names of people are invented.
func Places() []Place {
	tokyo, brussels, sydney := "Asia/Tokyo", "Europe/Brussels", "Australia/Sydney"
	places := []Place{
		{"tokyo", "JPN", "Tokyo", everyone("JPN", person("aiko", "Aiko Mori", "ja", tokyo), person("kenji", "Kenji Sato", "ja", tokyo),
			person("haru", "Haru Ito", "ja", tokyo), person("rin", "Rin Abe", "ja", tokyo), person("mei", "Mei Ono", "ja", tokyo))},
		{"brussels", "BEL", "Brussels", everyone("BEL", person("claire", "Claire Maes", "en", brussels), person("jan", "Jan Peeters", "en", brussels),
			person("lotte", "Lotte Claes", "en", brussels), person("marc", "Marc Dubois", "en", brussels), person("eva", "Eva Wouters", "en", brussels))},
		{"canberra", "AUS", "Canberra", everyone("AUS", person("ruby", "Ruby Clarke", "en", sydney), person("tom", "Tom Nguyen", "en", sydney),
			person("zoe", "Zoe Walker", "en", sydney), person("liam", "Liam Hall", "en", sydney), person("isla", "Isla Young", "en", sydney))},
	}
	for _, more := range []Place{
		{"wellington", "NZL", "Wellington", nil}, {"helsinki", "FIN", "Helsinki", nil}, {"stockholm", "SWE", "Stockholm", nil},
		{"vilnius", "LTU", "Vilnius", nil}, {"prague", "CZE", "Prague", nil}, {"ottawa", "CAN", "Ottawa", nil}, {"oslo", "NOR", "Oslo", nil},
	} {
		more.People = everyone(more.Nation, person("analyst", more.Name+" analyst", "en", "UTC"), person("release", more.Name+" release officer", "en", "UTC"),
			person("security", more.Name+" security officer", "en", "UTC"), person("second", more.Name+" second officer", "en", "UTC"), person("press", more.Name+" spokesperson", "en", "UTC"))
		places = append(places, more)
	}
	return places
}

// Options say where the demo lives.
type Options struct {
	Dir   string
	Addr  string // of the first node's pages; the next ones count up, lines begin 1000 above
	Nodes int    // 3 to 10
	Out   io.Writer
}

// loginsFile keeps what was printed, for the next start. The passwords guard
// invented data on a loopback address.
const loginsFile = "logins.json"

// Open gives the demo's nodes, making them and their story when the folder
// does not hold them yet. The folder is made under another name and renamed
// when it is whole, so a demo that was interrupted while being made begins
// afresh.
func Open(ctx context.Context, o Options) ([]*node.Node, error) {
	places := Places()
	if o.Nodes < 3 || o.Nodes > len(places) {
		return nil, fmt.Errorf("--nodes %d: give 3 to %d", o.Nodes, len(places))
	}
	if _, err := os.Stat(filepath.Join(o.Dir, loginsFile)); errors.Is(err, fs.ErrNotExist) {
		if err := makeAll(ctx, o, places[:o.Nodes]); err != nil {
			return nil, fmt.Errorf("make the demo: %w", err)
		}
	}
	var nodes []*node.Node
	for _, p := range places {
		dir := filepath.Join(o.Dir, p.Slug)
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var n *node.Node
		err := node.WhileLocked(ctx, func() (err error) {
			n, err = node.Open(ctx, dir)
			return err
		})
		if err != nil {
			return nil, errors.Join(err, closeAll(nodes))
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func closeAll(nodes []*node.Node) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, n.Close())
	}
	return errors.Join(errs...)
}

func makeAll(ctx context.Context, o Options, places []Place) (err error) {
	if _, err := os.Stat(o.Dir); err == nil {
		return fmt.Errorf("%s exists and is no demo; name another folder with --dir", o.Dir)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(o.Dir)), 0o700); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(filepath.Clean(o.Dir)), ".causeway-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	passwords := map[string]string{}
	for _, p := range places {
		passwords[p.Slug] = passphrase()
	}
	nodes, err := Found(ctx, fresh, o.Addr, places, passwords)
	if err == nil {
		err = tell(ctx, o.Out, nodes)
	}
	if err := errors.Join(err, closeAll(nodes)); err != nil {
		return err
	}
	b, err := json.MarshalIndent(passwords, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fresh, loginsFile), append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, o.Dir)
}

// Found makes a node for each place, with its people, and makes each the
// partner of every other. The nodes it gives are open, also those made before
// an error. A place without a password has people who cannot sign in.
func Found(ctx context.Context, dir, addr string, places []Place, passwords map[string]string) (nodes []*node.Node, err error) {
	addresses, err := addressesFrom(addr, len(places))
	if err != nil {
		return nil, err
	}
	for i, p := range places {
		at := filepath.Join(dir, p.Slug)
		founding := node.Founding{Nation: p.Nation, Name: p.Name, Slug: p.Slug, Web: addresses[i].web, Line: addresses[i].line}
		if err := node.Init(ctx, at, founding); err != nil {
			return nodes, err
		}
		n, err := node.Open(ctx, at)
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, n)
		for _, one := range p.People {
			if err := n.Found(ctx, one, passwords[p.Slug]); err != nil {
				return nodes, err
			}
		}
		security, err := n.People.Get(ctx, roleOf(n, people.SecurityOfficer))
		if err != nil {
			return nodes, err
		}
		if err := n.ConfirmPolicies(ctx, security); err != nil {
			return nodes, err
		}
	}
	for i := range nodes {
		for j := range i {
			if err := pair(ctx, nodes[j], nodes[i]); err != nil {
				return nodes, fmt.Errorf("pair %s with %s: %w", nodes[j].Config.Name, nodes[i].Config.Name, err)
			}
		}
	}
	return nodes, nil
}

type address struct{ web, line string }

func addressesFrom(first string, n int) ([]address, error) {
	host, text, err := net.SplitHostPort(first)
	if err != nil {
		return nil, fmt.Errorf("--addr %q: give host:port", first)
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port+1000+n > 65535 {
		return nil, fmt.Errorf("--addr %q: the port has to leave room for %d nodes and for lines 1000 above", first, n)
	}
	out := make([]address, n)
	for i := range out {
		out[i] = address{net.JoinHostPort(host, strconv.Itoa(port+i)), net.JoinHostPort(host, strconv.Itoa(port+1000+i))}
	}
	return out, nil
}

func passphrase() string {
	b := make([]byte, 10)
	rand.Read(b)
	s := strings.ToLower(base32.StdEncoding.EncodeToString(b))
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16]
}

// pair makes two nodes partners as two security officers would: invitation,
// answer, the codes compared, a clearance for the other on each side.
func pair(ctx context.Context, a, b *node.Node) error {
	_, invitation, err := a.Line.Invite(ctx, officerOf(a))
	if err != nil {
		return err
	}
	there, err := b.Line.Accept(ctx, officerOf(b), invitation)
	if err != nil {
		return err
	}
	here, err := a.Line.Accept(ctx, officerOf(a), there.Answer)
	if err != nil {
		return err
	}
	if here.Code != there.Code {
		return errors.New("the codes differ")
	}
	for _, side := range []struct {
		n *node.Node
		p line.Partner
	}{{a, here.Partner}, {b, there.Partner}} {
		if err := side.n.Line.Confirm(ctx, officerOf(side.n), side.p.NodeID, here.Code); err != nil {
			return err
		}
		c, err := policies.NationalClearance(side.p.Nation, "SECRET")
		if err != nil {
			return err
		}
		xml, err := stanag4774.WriteClearance(c)
		if err != nil {
			return err
		}
		if err := side.n.Line.SetClearance(ctx, officerOf(side.n), side.p.NodeID, xml); err != nil {
			return err
		}
	}
	return nil
}

// officerOf gives the reader id of a demo node's security officer.
func officerOf(n *node.Node) string { return "person:" + roleOf(n, people.SecurityOfficer) }

// roleOf gives the id of the first person of a demo node with a role.
func roleOf(n *node.Node, role people.Role) string {
	for _, p := range Places() {
		if p.Slug != n.Config.Slug {
			continue
		}
		for _, one := range p.People {
			if one.Has(role) {
				return one.ID
			}
		}
	}
	return ""
}

// Logins prints who can sign in where.
func Logins(o Options, nodes []*node.Node) error {
	b, err := os.ReadFile(filepath.Join(o.Dir, loginsFile))
	if err != nil {
		return fmt.Errorf("read the demo's logins: %w", err)
	}
	var passwords map[string]string
	if err := json.Unmarshal(b, &passwords); err != nil {
		return fmt.Errorf("read the demo's logins: %w", err)
	}
	for _, n := range nodes {
		fmt.Fprintf(o.Out, "%-11s https://%s  password %s\n", n.Config.Name, n.Config.Web, passwords[n.Config.Slug])
		for _, p := range Places() {
			if p.Slug != n.Config.Slug {
				continue
			}
			for _, one := range p.People {
				fmt.Fprintf(o.Out, "            %-9s %v\n", one.ID, one.Roles)
			}
		}
	}
	return nil
}
