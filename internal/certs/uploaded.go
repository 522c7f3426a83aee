package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// upload is a certificate that the operator has put into the directory. The names are those of the certificate.
type upload struct {
	file     string
	cert     *tls.Certificate
	unusable error // it is out of its time: it covers nothing, and tells wildcards why
}

// readUploads reads all pairs of a directory. One that can never work is an error; one that was good and has expired is
// only logged, as a server must come back after a reboot whatever the date is.
func readUploads(dir string, now time.Time, log *slog.Logger) ([]upload, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read uploaded certificates: %w", err)
	}
	var all []upload
	var errs []error
	for _, e := range entries {
		base, isCert := strings.CutSuffix(filepath.Join(dir, e.Name()), ".crt")
		if !isCert {
			errs = append(errs, lonelyKey(filepath.Join(dir, e.Name())))
			continue
		}
		u, err := readUpload(base, now)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if u.unusable != nil {
			log.Warn("an uploaded certificate is not used", "error", u.unusable)
		}
		all = append(all, u)
	}
	return all, errors.Join(errs...)
}

func readUpload(base string, now time.Time) (upload, error) {
	u := upload{file: base + ".crt"}
	chain, err := os.ReadFile(u.file)
	if err != nil {
		return u, fmt.Errorf("read uploaded certificate: %w", err)
	}
	key, err := os.ReadFile(base + ".key")
	if errors.Is(err, os.ErrNotExist) {
		return u, fmt.Errorf("uploaded certificate %s has no key; it belongs beside it as %s.key", u.file, base)
	}
	if err != nil {
		return u, fmt.Errorf("read key of uploaded certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return u, fmt.Errorf("uploaded certificate %s and %s.key cannot be used together: %w", u.file, base, err)
	}
	u.cert = &pair
	if len(pair.Leaf.DNSNames) == 0 {
		return u, fmt.Errorf("uploaded certificate %s is for no host: it has no DNS name among its subject alternative names", u.file)
	}
	if now.After(pair.Leaf.NotAfter) {
		u.unusable = expired(u.file, pair.Leaf)
	}
	if now.Before(pair.Leaf.NotBefore) {
		u.unusable = fmt.Errorf("the certificate %s is not valid before %s", u.file, day(pair.Leaf.NotBefore))
	}
	return u, nil
}

func lonelyKey(file string) error {
	base, isKey := strings.CutSuffix(file, ".key")
	if !isKey {
		return nil
	}
	if _, err := os.Stat(base + ".crt"); err != nil {
		return fmt.Errorf("key %s has no certificate; it belongs beside it as %s.crt", file, base)
	}
	return nil
}

func expired(what string, leaf *x509.Certificate) error {
	return fmt.Errorf("the certificate %s expired on %s", what, day(leaf.NotAfter))
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// uploadFor is the uploaded certificate that covers a name, nil where there is none: one that can be used rather than one
// that cannot, then one with the name itself rather than with its wildcard, then the one that is valid for longest.
func uploadFor(all []upload, name string) *upload {
	var best *upload
	for i := range all {
		if u := &all[i]; u.covers(name) && (best == nil || u.beats(best, name)) {
			best = u
		}
	}
	return best
}

func (u *upload) covers(name string) bool {
	return u.has(name) || !isWildcard(name) && u.has(wildcardOf(name))
}

func (u *upload) has(name string) bool {
	return slices.ContainsFunc(u.cert.Leaf.DNSNames, func(n string) bool { return canonical(n) == name })
}

func (u *upload) beats(other *upload, name string) bool {
	if usable := u.unusable == nil; usable != (other.unusable == nil) {
		return usable
	}
	if exact := u.has(name); exact != other.has(name) {
		return exact
	}
	return u.cert.Leaf.NotAfter.After(other.cert.Leaf.NotAfter)
}
