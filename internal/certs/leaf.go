package certs

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// issuer makes certificates.
type issuer interface {
	// id names it in keys of the store, so that what one issuer made is not taken for another's.
	id() string
	// refuses says why it will never certify a name; nil where it may.
	refuses(name string) error
	// issue gives the certificate and those that lead to its authority, in PEM. An error is a sentence for the user.
	issue(ctx context.Context, request *x509.CertificateRequest) ([]byte, error)
}

// order makes a key and has it certified for a name. The text is what decode reads.
func order(ctx context.Context, by issuer, name string) (leaf *tls.Certificate, text []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	request, err := request(key, name)
	if err != nil {
		return nil, nil, fmt.Errorf("make request for a certificate: %w", err)
	}
	chain, err := by.issue(ctx, request)
	if err != nil {
		return nil, nil, err
	}
	keyText, err := encodeKey(key)
	if err != nil {
		return nil, nil, err
	}
	text = append(keyText, chain...)
	if leaf, err = decode(text); err != nil {
		return nil, nil, err
	}
	if err := leaf.Leaf.VerifyHostname(name); err != nil {
		return nil, nil, fmt.Errorf("the certificate authority gave a certificate of another name: %w", err)
	}
	return leaf, text, nil
}

func request(key *ecdsa.PrivateKey, name string) (*x509.CertificateRequest, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{name}}, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificateRequest(der)
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// decode reads key and certificates from one PEM text.
func decode(text []byte) (*tls.Certificate, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("decode certificate: there is none")
	}
	leaf, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("decode certificate: %w", err)
	}
	return &leaf, nil
}

// renewal is when a certificate is to be renewed: when two thirds of its time are over.
func renewal(leaf *x509.Certificate) time.Time {
	return leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
}
