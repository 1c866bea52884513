package people

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost of argon2id: RFC 9106 section 4, the second recommended option
// (64 MiB), with three passes and four lanes.
const (
	passes    = 3
	memoryKiB = 64 * 1024
	lanes     = 4
	keySize   = 32
	saltSize  = 16

	shortestPassword = 12   // characters; NIST SP 800-63B-4 asks for at least 8, 15 where it stands alone
	longestPassword  = 1024 // bytes
)

// hashing bounds how many hashes run at once, since each takes 64 MiB.
var hashing = make(chan struct{}, 2)

func derive(password string, salt []byte) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, passes, memoryKiB, lanes, keySize)
}

// newVerifier gives what is stored of a password, in the PHC string format.
func newVerifier(password string) ([]byte, error) {
	switch {
	case !utf8.ValidString(password):
		return nil, errors.New("the password is not valid UTF-8")
	case utf8.RuneCountInString(password) < shortestPassword:
		return nil, fmt.Errorf("the password is too short: use at least %d characters, a phrase is best", shortestPassword)
	case len(password) > longestPassword:
		return nil, fmt.Errorf("the password is longer than %d bytes", longestPassword)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Appendf(nil, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes,
		encode(salt), encode(derive(password, salt))), nil
}

// nobody is the verifier checked for names that do not exist, so that an
// unknown name takes as long as a wrong password.
var nobody = fmt.Appendf(nil, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes,
	base64.RawStdEncoding.EncodeToString(make([]byte, saltSize)), base64.RawStdEncoding.EncodeToString(make([]byte, keySize)))

// verify compares in constant time. Only the one cost that newVerifier writes
// is accepted: a stored value never chooses the algorithm.
func verify(verifier []byte, password string) bool {
	if len(password) > longestPassword {
		return false
	}
	fields := strings.Split(string(verifier), "$")
	want := fmt.Sprintf("v=%d$m=%d,t=%d,p=%d", argon2.Version, memoryKiB, passes, lanes)
	if len(fields) != 6 || fields[1] != "argon2id" || fields[2]+"$"+fields[3] != want {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(fields[4])
	key, err2 := base64.RawStdEncoding.DecodeString(fields[5])
	if err1 != nil || err2 != nil || len(key) != keySize {
		return false
	}
	return subtle.ConstantTimeCompare(derive(password, salt), key) == 1
}
