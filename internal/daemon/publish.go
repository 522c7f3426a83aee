package daemon

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/setopsco/setops/internal/edge/publish"
	"github.com/setopsco/setops/internal/edge/space"
)

// openPublisher takes over what routers beside this server follow. Nothing of it changes before the committed state is restored.
func (c *core) openPublisher(ctx context.Context) error {
	if c.routing() != routingRouter {
		return nil
	}
	namespace, err := space.Open(c.Config.Kubeconfig, c.Config.RouterNamespace, c.instance, c.Logger)
	if err != nil {
		return err
	}
	if err := namespace.Make(ctx); err != nil {
		return err
	}
	key, err := c.routerKey()
	if err != nil {
		return err
	}
	config := publish.Config{
		Objects: namespace, Replicas: namespace, Installation: c.instance, Key: key, Logger: c.Logger,
	}
	if c.certs != nil {
		config.APIHost, config.Authorities = c.Config.apiHost(), c.certs.Authority()
		if config.Authorities == nil {
			config.Authorities = c.Config.settings.roots
		}
	}
	if c.publisher, err = publish.Open(ctx, config); err != nil {
		return err
	}
	c.onClose(c.publisher.Close)
	c.Logger.Info("routes are published for routers", "namespace", c.Config.RouterNamespace)
	return nil
}

// routerKey is by which routers know the servers of this installation. It follows from the key that all of them have.
func (c *core) routerKey() (string, error) {
	b, err := hkdf.Key(sha256.New, c.sealKey, nil, "key of routers", 32)
	if err != nil {
		return "", fmt.Errorf("make the key of routers: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// completePublished lets routers have all that was restored, and what comes of certificates from now on.
func (c *core) completePublished() {
	if c.publisher == nil {
		return
	}
	if c.certs != nil {
		c.publishCertificates()
		c.loops.Go(func() {
			for {
				select {
				case <-c.recertify:
					c.publishCertificates()
				case <-c.alive.Done():
					return
				}
			}
		})
	}
	c.publisher.Complete()
}

// certificatesChanged is called by who has them, many times at once where many are new.
func (c *core) certificatesChanged() {
	select {
	case c.recertify <- struct{}{}:
	default: // they are looked at soon
	}
}

func (c *core) publishCertificates() {
	all := map[string]publish.Certificate{}
	for name, pair := range c.certs.All() {
		one, err := encodePair(pair)
		if err != nil {
			c.Logger.Error("a certificate cannot be given to routers", "host", name, "error", err)
			continue
		}
		all[name] = one
	}
	c.publisher.SetCertificates(all)
}

// encodePair writes certificates and key in PEM.
func encodePair(pair *tls.Certificate) (publish.Certificate, error) {
	var chain bytes.Buffer
	for _, der := range pair.Certificate {
		if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return publish.Certificate{}, err
		}
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return publish.Certificate{}, err
	}
	return publish.Certificate{Chain: chain.Bytes(), Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})}, nil
}
