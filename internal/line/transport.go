package line

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The transport is TLS 1.3 with both sides' certificates and with hybrid key
// exchanges only: what is recorded today stays closed when curves fall. Of a
// certificate only its key counts, compared with the pinned digest.
var keyExchanges = []tls.CurveID{tls.X25519MLKEM768, tls.SecP384r1MLKEM1024, tls.SecP256r1MLKEM768}

// serverName tells which generation of the server's keys the caller knows;
// it names nobody.
func serverName(generation int) string { return fmt.Sprintf("g%d.line.invalid", generation) }

func generationIn(name string) (int, bool) {
	g, ok := strings.CutPrefix(strings.TrimSuffix(name, ".line.invalid"), "g")
	n, err := strconv.Atoi(g)
	return n, ok && err == nil
}

var errPeer = errors.New("the other side's key is not a partner's")

// peerPin is the digest of the transport key in the one certificate that a
// node shows.
func peerPin(raw [][]byte) (Digest, error) {
	if len(raw) != 1 {
		return Digest{}, errPeer
	}
	cert, err := x509.ParseCertificate(raw[0])
	if err != nil {
		return Digest{}, errPeer
	}
	return pinOf(cert.PublicKey)
}

// serverTLS lets in partners by their pinned keys and, while an invitation is
// open, others as far as the door where they hand in their answer.
func (l *Line) serverTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13,
		CurvePreferences:       keyExchanges,
		NextProtos:             []string{"h2", "http/1.1"},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true, // a revoked partner must not come back with a ticket
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			k := l.ring.Current()
			if g, ok := generationIn(hello.ServerName); ok {
				if known := l.ring.generation(g); known != nil {
					k = known
				}
			}
			return &k.cert, nil
		},
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			pin, err := peerPin(raw)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if _, err := l.partnerByPin(ctx, pin); err == nil {
				return nil
			} else if !errors.Is(err, ErrNoPartner) {
				return err
			}
			open, err := l.invited(ctx)
			if err == nil && open {
				return nil
			}
			return errPeer
		},
	}
}

// partnerByPin finds the partner that a transport key belongs to. Any
// generation that is kept counts: a partner may not yet know that this node
// has its newest. A revoked partner is none.
func (l *Line) partnerByPin(ctx context.Context, pin Digest) (*partnerRecord, error) {
	r := l.outside(ctx)
	node := ""
	if ok, err := load(r, spacePin, pin.String(), &node); err != nil {
		return nil, err
	} else if !ok {
		return nil, ErrNoPartner
	}
	p, err := loadPartner(r, node)
	if err != nil {
		return nil, err
	}
	ids, err := p.identities()
	if err != nil {
		return nil, err
	}
	if p.State == Revoked || !slices.ContainsFunc(ids, func(id *Identity) bool { return id.TLS == pin }) {
		return nil, ErrNoPartner
	}
	return p, nil
}

// invited says whether an invitation of this node waits for its answer.
func (l *Line) invited(ctx context.Context) (bool, error) {
	open := false
	err := scan(l.outside(ctx), spaceInvitation, "", func(key string, value []byte) error {
		var rec invitationRecord
		if err := decodeRecord(spaceInvitation, key, value, &rec); err != nil {
			return err
		}
		if rec.Used == "" && instant(rec.Expires).After(l.now()) {
			open = true
			return errStop
		}
		return nil
	})
	return open, err
}

// clientTLS reaches one partner: it shows the generation of this node's keys
// that the partner knows and accepts only the partner's pinned keys.
func (l *Line) clientTLS(p *partnerRecord, ids []*Identity) *tls.Config {
	k := l.keysFor(p)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13,
		CurvePreferences:       keyExchanges,
		NextProtos:             []string{"h2", "http/1.1"},
		ServerName:             serverName(ids[0].Generation),
		Certificates:           []tls.Certificate{k.cert},
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // names and chains decide nothing; the pin below does
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			pin, err := peerPin(raw)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(ids, func(id *Identity) bool { return id.TLS == pin }) {
				return errPeer
			}
			return nil
		},
	}
}

// Timeouts of connections. A body has no time limit of its own: it is held
// to a least rate instead.
const (
	dialTimeout   = 10 * time.Second
	headerTimeout = 10 * time.Second
	longPoll      = 25 * time.Second
	answerTimeout = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
)

// client makes the HTTP client for one partner's connection, for one lane.
func (l *Line) client(p *partnerRecord) (*http.Client, error) {
	ids, err := p.identities()
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
			TLSClientConfig:        l.clientTLS(p, ids),
			TLSHandshakeTimeout:    dialTimeout,
			ForceAttemptHTTP2:      true,
			MaxConnsPerHost:        2,
			IdleConnTimeout:        idleTimeout,
			ResponseHeaderTimeout:  answerTimeout,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
			Proxy:                  nil, // a line goes to its partner, never through what the environment names
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
