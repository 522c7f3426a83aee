// Package pull makes the passwords by which container engines pull images: one for each stage, which is good for that stage's images
// alone, and changes by itself. Nothing is kept of them. They follow from a key, so that all servers that have it know them.
//
// Start with New.
package pull

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Term is how long a password is the one that is given out. Those of the terms before and behind it are taken, too: whoever has the one
// before is about to get this one, or has begun to pull with it, and another server's clock may be ahead.
const Term = 12 * time.Hour

// Everything is the holder of the passwords that are good for all images. It is for an engine on the server's own machine.
const Everything = "setopsd"

// Stage is the holder of those of one stage. No user is called so: theirs are e-mail addresses.
func Stage(id string) string { return Everything + "/" + id }

// StageOf gives the id of the stage that a holder is of; false: it is none of ours, or Everything.
func StageOf(holder string) (id string, ok bool) { return strings.CutPrefix(holder, Everything+"/") }

// IsHolder reports whether a user who signs in is one of ours.
func IsHolder(user string) bool {
	_, ok := StageOf(user)
	return ok || user == Everything
}

// Covers reports whether a repository is one of a stage's.
func Covers(s setops.StageRef, repository string) bool {
	return strings.HasPrefix(repository, s.Organization+"/"+s.Project+"/"+s.Name+"/")
}

// Passwords are all that follow from one key.
type Passwords struct {
	key []byte
	now func() time.Time
}

// New derives them.
func New(secret []byte, now func() time.Time) (Passwords, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "setops pull", sha256.Size)
	if err != nil {
		return Passwords{}, fmt.Errorf("derive key of the passwords for pulling: %w", err)
	}
	return Passwords{key, now}, nil
}

// Of is the password that a holder is to have now.
func (p Passwords) Of(holder string) string { return p.of(holder, p.term()) }

// Accepts reports whether a password is one that a holder may still have, or has already.
func (p Passwords) Accepts(holder, password string) bool {
	for term := p.term() - 1; term <= p.term()+1; term++ {
		if hmac.Equal([]byte(password), []byte(p.of(holder, term))) {
			return true
		}
	}
	return false
}

func (p Passwords) term() int64 { return p.now().Unix() / int64(Term.Seconds()) }

func (p Passwords) of(holder string, term int64) string {
	mac := hmac.New(sha256.New, p.key)
	fmt.Fprintf(mac, "%d %s", term, holder)
	return hex.EncodeToString(mac.Sum(nil))
}
