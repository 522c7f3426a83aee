// Package certs has the certificates with which the server's names are served: ordered from a certificate authority by
// ACME, made by an authority of the server's own, or uploaded by its operator. It keeps them in the server's store, sealed,
// and renews them. It is not a server: TLSConfig and Challenges belong to listeners of others. It never orders a
// certificate because of a handshake: who needs one says so by Set.
//
// Start with Open, Set and the keeper of a name.
package certs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Storage is what certs needs of the server's store: values under keys with slashes.
type Storage interface {
	Certificate(ctx context.Context, key string) (value setops.Sealed, changed time.Time, ok bool, err error)
	CertificateKeys(ctx context.Context, prefix string) ([]string, error) // sorted
	KeepCertificate(ctx context.Context, key string, value setops.Sealed, now time.Time) error
	ForgetCertificates(ctx context.Context, keys ...string) error
}

// Box seals values, each for a purpose. The store never gets anything else.
type Box interface {
	Seal(purpose, value string) setops.Sealed
	Open(purpose string, sealed setops.Sealed) (string, error)
}

// Config is what a Manager is made of. Store, Box and Logger are required.
type Config struct {
	Store  Storage
	Box    Box
	Logger *slog.Logger

	Local bool // an authority of the server's own certifies all names; nothing below up to Uploaded counts then

	Directory string // of ACME, an https URL; "" is Let's Encrypt's
	Email     string // where the directory's owner writes to; may be ""
	Roots     []byte // PEM: authorities that a private directory is trusted by, besides the system's

	Uploaded string // a directory with pairs NAME.crt and NAME.key in PEM; "" for none

	Changed func() // called when All gives something else; it must not wait. nil: nobody wants to know
}

// Manager has the certificates of the names that were Set.
type Manager struct {
	log     *slog.Logger
	pace    pace
	changed func()
	vault   vault
	uploads []upload
	issuer  issuer
	acme    *directory // the issuer, where it is one of ACME
	local   *authority // the issuer, where it is the server's own

	ctx   context.Context // ends with Close
	end   context.CancelFunc
	loops sync.WaitGroup

	names  names
	mu     sync.Mutex // of owners, and of what is in names
	owners map[string][]string
}

// Open reads what there is: uploaded certificates, and with Local the authority, which is made the first time. It asks
// no directory. Errors name the file or the value that has to be mended.
func Open(ctx context.Context, c Config) (*Manager, error) { return open(ctx, c, usual()) }

func open(ctx context.Context, c Config, p pace) (*Manager, error) {
	m := &Manager{log: c.Logger, pace: p, changed: c.Changed, vault: vault{c.Store, c.Box}, owners: map[string][]string{}}
	if m.changed == nil {
		m.changed = func() {}
	}
	var err error
	if m.uploads, err = readUploads(c.Uploaded, time.Now(), c.Logger); err != nil {
		return nil, err
	}
	if c.Local {
		m.local, err = openAuthority(ctx, m.vault, time.Now())
		m.issuer = m.local
	} else {
		m.acme, err = openDirectory(c, m.vault, p.order)
		m.issuer = m.acme
	}
	if err != nil {
		return nil, err
	}
	m.ctx, m.end = context.WithCancel(context.WithoutCancel(ctx))
	m.loops.Go(m.sweep)
	return m, nil
}

// Authority is the certificate of the server's own authority in PEM; nil where there is none.
func (m *Manager) Authority() []byte {
	if m.local == nil {
		return nil
	}
	return m.local.pem
}

// Close gives up orders that are under way and waits until all has ended. Certificates that are there can still be served.
func (m *Manager) Close() error {
	m.mu.Lock()
	m.end()
	m.mu.Unlock()
	m.loops.Wait()
	if m.acme != nil {
		return m.acme.close()
	}
	return nil
}

// sweep forgets stored certificates that have expired: those of names that nobody has had for long.
func (m *Manager) sweep() {
	if err := m.forgetExpired(time.Now()); err != nil && m.ctx.Err() == nil {
		m.log.Warn("expired certificates stay in the store", "error", err)
	}
}

func (m *Manager) forgetExpired(now time.Time) error {
	keys, err := m.vault.store.CertificateKeys(m.ctx, leaves)
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range keys {
		leaf, err := m.vault.leaf(m.ctx, key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
			continue
		}
		if leaf != nil && now.After(leaf.Leaf.NotAfter) {
			errs = append(errs, m.vault.store.ForgetCertificates(m.ctx, key))
		}
	}
	return errors.Join(errs...)
}
