package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	authorityYears = 10
	leafLife       = 90 * 24 * time.Hour
	skew           = time.Hour // by which a client's clock may be behind
)

// authority certifies any name for those who trust it. It needs no network.
type authority struct {
	pem  []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// openAuthority reads the authority from the store, and makes it where there is none or its time is over.
func openAuthority(ctx context.Context, v vault, now time.Time) (*authority, error) {
	text, _, ok, err := v.open(ctx, authorityKey)
	if err != nil {
		return nil, fmt.Errorf("open local authority: %w", err)
	}
	if ok {
		a, err := decodeAuthority(text)
		if err != nil {
			return nil, fmt.Errorf("open local authority: %w", err)
		}
		if now.Before(a.cert.NotAfter) {
			return a, nil
		}
	}
	if text, err = makeAuthority(now); err != nil {
		return nil, fmt.Errorf("make local authority: %w", err)
	}
	if err := v.keep(ctx, authorityKey, text); err != nil {
		return nil, fmt.Errorf("make local authority: %w", err)
	}
	return decodeAuthority(text)
}

func decodeAuthority(text []byte) (*authority, error) {
	pair, err := decode(text)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("its key is none that was made here")
	}
	return &authority{pem: encodeCertificate(pair.Leaf.Raw), cert: pair.Leaf, key: key}, nil
}

// makeAuthority gives key and certificate as decode reads them.
func makeAuthority(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		// Each has a name of its own, so that a machine that trusts several does not take one for another.
		Subject:               pkix.Name{Organization: []string{"SetOps"}, CommonName: fmt.Sprintf("SetOps local authority %x", serial.Bytes()[:4])},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.AddDate(authorityYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // it certifies names, no other authorities
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	text, err := encodeKey(key)
	return append(text, encodeCertificate(der)...), err
}

// serialNumber is random, of 16 bytes of which none is lost to zeros.
func serialNumber() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b), nil
}

// id changes with the key: leaves of an authority that was replaced are of no use.
func (a *authority) id() string {
	sum := sha256.Sum256(a.cert.RawSubjectPublicKeyInfo)
	return "local-" + hex.EncodeToString(sum[:8])
}

func (a *authority) refuses(string) error { return nil }

func (a *authority) issue(_ context.Context, request *x509.CertificateRequest) ([]byte, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	now := time.Now()
	until := now.Add(leafLife)
	if a.cert.NotAfter.Before(until) {
		until = a.cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber:          serial,
		DNSNames:              request.DNSNames,
		NotBefore:             now.Add(-skew),
		NotAfter:              until,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}, a.cert, request.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("the local authority could not certify it: %w", err)
	}
	return encodeCertificate(der), nil
}

var _ issuer = (*authority)(nil)
