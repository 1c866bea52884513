package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/stanag4774"
)

type peopleCmd struct {
	Add       peopleAddCmd       `cmd:"" help:"Register a person; the password is read from standard input."`
	List      peopleListCmd      `cmd:"" help:"List the people, their roles and what they are cleared for."`
	Suspend   peopleSuspendCmd   `cmd:"" help:"Stop a person's access at once, open sessions included."`
	Reinstate peopleReinstateCmd `cmd:"" help:"End a suspension."`
	Token     peopleTokenCmd     `cmd:"" help:"Make an API token that reads as a person."`
}

// readInput reads a file or, for "-", standard input, up to a limit.
func readInput(p *process, name string, limit int64) ([]byte, error) {
	r := p.stdin
	if name != "-" {
		f, err := os.Open(p.path(name))
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", name, err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return b, nil
}

// officer gives the security officer that acts.
func (f byFlag) officer(p *process, n *node.Node) (people.Person, error) {
	by, err := f.person(p.ctx, n)
	if err == nil && !by.Has(people.SecurityOfficer) {
		err = fmt.Errorf("%s is not a security officer: %w", by.ID, errForbidden)
	}
	return by, err
}

type peopleAddCmd struct {
	dataFlag
	byFlag
	ID     string        `arg:"" help:"Short lower-case name to sign in with."`
	Name   string        `required:"" help:"The person's name."`
	Nation string        `help:"Nationality, three capital letters. Default: the node's."`
	Roles  []people.Role `help:"analyst, release-officer, security-officer, liaison, spokesperson, legal-adviser."`
	Lang   string        `default:"en" enum:"en,ja" help:"Language of the pages."`
}

func (c *peopleAddCmd) Run(p *process) error {
	password, err := readInput(p, "-", 4096)
	if err != nil {
		return err
	}
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		if c.Nation == "" {
			c.Nation = n.Config.Nation
		}
		person := people.Person{ID: c.ID, Name: c.Name, Nation: c.Nation, Roles: c.Roles, Lang: c.Lang}
		if err := n.People.Add(p.ctx, by.ReaderID(), person, strings.TrimRight(string(password), "\r\n")); err != nil {
			return err
		}
		return n.RefreshReaders(p.ctx)
	})
}

type peopleListCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *peopleListCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.People.List(p.ctx)
		if err != nil {
			return err
		}
		for i := range all {
			all[i].Verifier = nil
		}
		if c.JSON {
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, person := range all {
			state := "active"
			if person.Suspended != nil {
				state = "suspended"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d clearances\t%v\n", person.ID, person.Name, person.Nation, state, len(person.Grants), person.Roles)
		}
		return w.Flush()
	})
}

type peopleSuspendCmd struct {
	dataFlag
	byFlag
	ID  string `arg:"" help:"The person."`
	Why string `required:"" help:"The reason, for the audit log."`
}

func (c *peopleSuspendCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		return errors.Join(n.People.Suspend(p.ctx, by.ReaderID(), c.ID, c.Why), n.RefreshReaders(p.ctx))
	})
}

type peopleReinstateCmd struct {
	dataFlag
	byFlag
	ID string `arg:"" help:"The person."`
}

func (c *peopleReinstateCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		return errors.Join(n.People.Reinstate(p.ctx, by.ReaderID(), c.ID), n.RefreshReaders(p.ctx))
	})
}

type peopleTokenCmd struct {
	dataFlag
	ID   string        `arg:"" help:"The person."`
	Life time.Duration `default:"720h" help:"How long the token is good for."`
}

func (c *peopleTokenCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		person, err := n.People.Get(p.ctx, c.ID)
		if err != nil {
			return err
		}
		token, err := n.People.APIToken(p.ctx, person, c.Life)
		if err != nil {
			return err
		}
		fmt.Fprintln(p.stderr, "this token is shown once:")
		_, err = fmt.Fprintln(p.stdout, token)
		return err
	})
}

type clearanceCmd struct {
	Grant   clearanceGrantCmd   `cmd:"" help:"Ask for a clearance for a person; a second security officer approves it."`
	Approve clearanceApproveCmd `cmd:"" help:"Put a requested clearance in force."`
	Revoke  clearanceRevokeCmd  `cmd:"" help:"End a clearance at once."`
	List    clearanceListCmd    `cmd:"" help:"List clearances in force and requests that wait."`

	Briefing  clearanceBriefingCmd  `cmd:"" help:"Say whether a restrictive value counts only for people who were briefed on it."`
	Briefings clearanceBriefingsCmd `cmd:"" help:"List the restrictive values and whether they demand a briefing."`

	Attest       clearanceAttestCmd       `cmd:"" help:"Sign, for a partner, what a person is cleared for, under a pseudonym."`
	Withdraw     clearanceWithdrawCmd     `cmd:"" help:"Take an attestation back."`
	Accept       clearanceAcceptCmd       `cmd:"" help:"Take up a partner's attestation, or its end."`
	Attestations clearanceAttestationsCmd `cmd:"" help:"List attestations given and accepted."`
}

type clearanceGrantCmd struct {
	dataFlag
	byFlag
	To         string    `required:"" placeholder:"ID" help:"The person."`
	Clearance  string    `required:"" placeholder:"FILE" help:"STANAG 4774 clearance, as XML."`
	Basis      string    `required:"" help:"The law or agreement it rests on: JP-108-2013, JP-27-2024, JP-NATO-2010, NATIONAL, or in words."`
	Consent    bool      `help:"The person consented to the assessment, which JP-108-2013 and JP-27-2024 ask for."`
	Briefings  []string  `placeholder:"VALUE" help:"Restrictive values of the clearance's policy that the person was briefed on."`
	Conditions string    `help:"Conditions, in words."`
	From       time.Time `format:"2006-01-02" help:"First day, UTC. Default: now."`
	Until      time.Time `required:"" format:"2006-01-02" help:"The day it ends, UTC."`
}

func (c *clearanceGrantCmd) Run(p *process) error {
	xml, err := readInput(p, c.Clearance, 1<<20)
	if err != nil {
		return err
	}
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		if c.From.IsZero() {
			c.From = time.Now().UTC().Truncate(time.Second)
		}
		briefings, err := briefingsOf(n, xml, c.Briefings)
		if err != nil {
			return err
		}
		id, err := n.People.Request(p.ctx, by, c.To, people.Grant{
			Clearance: string(xml), Basis: c.Basis, Briefings: briefings, Conditions: c.Conditions, Consent: c.Consent, From: c.From, Until: c.Until,
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "a second security officer puts it in force: causeway clearance approve %s --by ID --data %s\n", id, c.Data)
		_, err = fmt.Fprintln(p.stdout, id)
		return err
	})
}

// briefingsOf finds the restrictive values that briefings are about in the
// policy of the clearance.
func briefingsOf(n *node.Node, xml []byte, values []string) (out []label.Briefing, err error) {
	if len(values) == 0 {
		return nil, nil
	}
	c, err := stanag4774.ParseClearance(xml)
	if err != nil {
		return nil, err
	}
	policy, ok := n.Policies().Policy(c.PolicyOID)
	if !ok {
		return nil, fmt.Errorf("policy %s is not loaded on this node", c.PolicyOID)
	}
	for _, v := range values {
		b, ok := policy.Briefing(v)
		if !ok {
			return nil, fmt.Errorf("briefing %q: policy %s has no such restrictive value", v, policy.Name())
		}
		out = append(out, b)
	}
	return out, nil
}

type clearanceApproveCmd struct {
	dataFlag
	byFlag
	ID string `arg:"" help:"The request, as \"clearance list\" shows it."`
}

func (c *clearanceApproveCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		if err := n.People.Approve(p.ctx, by, c.ID); err != nil {
			return err
		}
		return n.RefreshReaders(p.ctx)
	})
}

type clearanceRevokeCmd struct {
	dataFlag
	byFlag
	Person string `arg:"" help:"The person."`
	ID     string `arg:"" help:"The clearance, as \"clearance list\" shows it."`
	Why    string `required:"" help:"The reason, for the audit log."`
}

func (c *clearanceRevokeCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		if err := n.People.Revoke(p.ctx, by, c.Person, c.ID, c.Why); err != nil {
			return err
		}
		return n.RefreshReaders(p.ctx)
	})
}

type clearanceListCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *clearanceListCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.People.List(p.ctx)
		if err != nil {
			return err
		}
		waiting, err := n.People.Waiting(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			grants := map[string][]people.Grant{}
			for _, person := range all {
				grants[person.ID] = person.Grants
			}
			return writeJSON(p, map[string]any{"in_force": grants, "waiting": waiting})
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, person := range all {
			for _, g := range person.Grants {
				state := "in force until " + g.Until.Format(time.DateOnly)
				if g.Revoked != nil {
					state = "revoked " + g.Revoked.At.Format(time.DateOnly)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\tasked by %s, approved by %s\n", person.ID, g.ID, g.Basis, state, g.Requested, g.Approved)
			}
		}
		for _, pending := range waiting {
			fmt.Fprintf(w, "%s\t%s\t%s\twaits for a second officer\tasked by %s\n", pending.Person, pending.Grant.ID, pending.Grant.Basis, pending.Grant.Requested)
		}
		return w.Flush()
	})
}
