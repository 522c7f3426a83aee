package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// settings are the values of flags as the server uses them: parsed by Config.check, read by Config.read.
type settings struct {
	ports      portRange
	proxies    []netip.Prefix
	addresses  []netip.Addr
	restricted []string // patterns of stages
	callers    []string // networks that the router calls tasks on a cluster from
	roots      []byte   // PEM; nil: the system's

	oidcSecret  string
	oidcDomains []string
	smtp        string // password
}

// portRange holds both of its ends. The zero value is empty.
type portRange struct{ low, high int }

// read reads the files that flags name, all of them, so that a server with a wrong one does not start half.
func (c *Config) read() error {
	return errors.Join(c.readKey(), c.readRoots(), c.readCertificates(), c.readOIDCSecret(), c.readMail(), c.Bucket.read())
}

func (c *Config) readOIDCSecret() (err error) {
	if c.OIDCIssuer != "" && c.OIDCSecretFile != "" {
		c.settings.oidcSecret, err = readSecret("--oidc-client-secret-file", c.OIDCSecretFile)
	}
	return err
}

// readKey looks whether there is one where the operator says so. Who needs it reads it again.
func (c *Config) readKey() error {
	if c.KeyFile == "" {
		return nil
	}
	_, err := readKey(c.KeyFile)
	return err
}

func (c *Config) readRoots() error {
	c.settings.roots = nil
	if c.ACMERoots == "" {
		return nil
	}
	text, err := os.ReadFile(c.ACMERoots)
	if err != nil {
		return fmt.Errorf("read --acme-roots: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return fmt.Errorf("read --acme-roots: there is no certificate in %s; it must be a PEM file", c.ACMERoots)
	}
	c.settings.roots = text
	return nil
}

// readCertificates looks whether each NAME.crt has the NAME.key that belongs to it. Who serves them reads them again.
func (c *Config) readCertificates() error {
	if c.Certificates == "" {
		return nil
	}
	entries, err := os.ReadDir(c.Certificates)
	if err != nil {
		return fmt.Errorf("read --certificates: %w", err)
	}
	var all []error
	for _, e := range entries {
		name, isCertificate := strings.CutSuffix(e.Name(), ".crt")
		if !isCertificate {
			continue
		}
		path := filepath.Join(c.Certificates, name)
		if _, err := tls.LoadX509KeyPair(path+".crt", path+".key"); err != nil {
			all = append(all, fmt.Errorf("read --certificates: %s.crt and %s.key: %w", path, path, err))
		}
	}
	return errors.Join(all...)
}
