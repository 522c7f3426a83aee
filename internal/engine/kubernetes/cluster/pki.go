package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// An authority signs the certificates by which the programs of a cluster know each other.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// writePKI writes certificates, and a kubeconfig for each who calls the API server.
func (c *Cluster) writePKI() error {
	dir := filepath.Join(c.dir, "pki")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	a, err := newAuthority(dir)
	if err != nil {
		return fmt.Errorf("make a certificate authority: %w", err)
	}
	names := []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", "127.0.0.1", c.controlAddress(), c.apiService(),
	}
	if err := a.issue("apiserver", pkix.Name{CommonName: "kube-apiserver"}, names...); err != nil {
		return err
	}
	if err := a.issue("service-accounts", pkix.Name{CommonName: "service-accounts"}); err != nil {
		return err
	}
	callers := map[string]pkix.Name{
		"admin":                   {CommonName: "admin", Organization: []string{"system:masters"}},
		"apiserver-kubelet":       {CommonName: "kube-apiserver", Organization: []string{"system:masters"}},
		"kube-controller-manager": {CommonName: "system:kube-controller-manager"},
		"kube-scheduler":          {CommonName: "system:kube-scheduler"},
		"kube-proxy":              {CommonName: "system:kube-proxy"},
	}
	for i := 1; i <= c.Nodes; i++ {
		callers[node(i)] = pkix.Name{CommonName: "system:node:" + node(i), Organization: []string{"system:nodes"}}
	}
	for file, who := range callers {
		var own []string
		if strings.HasPrefix(file, "node") {
			own = []string{file, c.nodeAddress(int(file[4] - '0'))}
		}
		if err := a.issue(file, who, own...); err != nil {
			return err
		}
		if err := c.writeKubeconfig(a, file); err != nil {
			return err
		}
	}
	return os.Symlink("pki/admin.kubeconfig", c.Kubeconfig())
}

func newAuthority(dir string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate(pkix.Name{CommonName: "setops-test-cluster"})
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{dir, cert, key}, writePair(filepath.Join(dir, "ca"), der, key)
}

// issue writes NAME.crt and NAME.key. They are for both ends of a connection.
func (a *authority) issue(name string, subject pkix.Name, names ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := certificate(subject)
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("issue the certificate %s: %w", name, err)
	}
	return writePair(filepath.Join(a.dir, name), der, key)
}

func certificate(subject pkix.Name) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	return &x509.Certificate{
		SerialNumber: serial, Subject: subject,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0),
	}
}

func writePair(path string, der []byte, key *ecdsa.PrivateKey) error {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(path+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// writeKubeconfig writes one that needs no other file.
func (c *Cluster) writeKubeconfig(a *authority, name string) error {
	var data []string
	for _, file := range []string{"ca.crt", name + ".crt", name + ".key"} {
		text, err := os.ReadFile(filepath.Join(a.dir, file))
		if err != nil {
			return err
		}
		data = append(data, base64.StdEncoding.EncodeToString(text))
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: "https://%s:6443", certificate-authority-data: %s}}]
users: [{name: test, user: {client-certificate-data: %s, client-key-data: %s}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
`, c.controlAddress(), data[0], data[1], data[2])
	return os.WriteFile(filepath.Join(a.dir, name+".kubeconfig"), []byte(text), 0o600)
}
