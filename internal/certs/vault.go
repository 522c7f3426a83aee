package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"
)

// Where things are in the store:
//
//	authority          certificate and key of the server's own authority
//	leaf/ISSUER/NAME   key and certificates of a name, one value, so that they are never of two orders
//	acme/…             accounts with directories, as certmagic lays them out
const (
	authorityKey = "authority"
	leaves       = "leaf/"
	accounts     = "acme/"
)

// vault seals what goes into the store, each value for its key: one cannot be put in the place of another.
type vault struct {
	store Storage
	box   Box
}

// Purpose is what the value under a key is sealed for.
func Purpose(key string) string { return "certificate " + key }

func (v vault) keep(ctx context.Context, key string, value []byte) error {
	return v.store.KeepCertificate(ctx, key, v.box.Seal(Purpose(key), string(value)), time.Now())
}

// open gives what is kept under a key; ok is false where there is nothing.
func (v vault) open(ctx context.Context, key string) (value []byte, changed time.Time, ok bool, err error) {
	sealed, changed, ok, err := v.store.Certificate(ctx, key)
	if err != nil || !ok {
		return nil, changed, false, err
	}
	text, err := v.box.Open(Purpose(key), sealed)
	if err != nil {
		return nil, changed, false, fmt.Errorf("open certificate %s: %w", key, err)
	}
	return []byte(text), changed, true, nil
}

// leaf gives the certificate and key under a key, nil where there is nothing.
func (v vault) leaf(ctx context.Context, key string) (*tls.Certificate, error) {
	text, _, ok, err := v.open(ctx, key)
	if err != nil || !ok {
		return nil, err
	}
	return decode(text)
}
