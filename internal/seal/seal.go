// Package seal encrypts the values that the server keeps for its users, so that no database file, journal or backup has
// them in clear. It does no I/O; where the key comes from is the daemon's affair. Start with Box.
package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/setopsco/setops/internal/setops"
)

// KeySize is the length of the key, in bytes.
const KeySize = 32

// Prefix is how every sealed text begins. It names the scheme, so that another one can follow.
const Prefix = "s1:"

// Box seals and opens. Equal values of the same purpose have equal sealed text (the nonce is a MAC of the purpose and the
// value: a synthetic IV), so that a change can be recognised without opening; values of different purposes never do.
type Box struct {
	aead  cipher.AEAD
	nonce []byte // the key of the nonces
	print []byte // the key of fingerprints
}

// New makes a box from a key of KeySize random bytes.
func New(key []byte) (*Box, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key has %d bytes, not %d", len(key), KeySize)
	}
	var derived [3][]byte
	for i, use := range []string{"setops value", "setops nonce", "setops fingerprint"} {
		k, err := hkdf.Key(sha256.New, key, nil, use, KeySize)
		if err != nil {
			return nil, fmt.Errorf("derive key: %w", err)
		}
		derived[i] = k
	}
	aead, err := chacha20poly1305.NewX(derived[0])
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return &Box{aead: aead, nonce: derived[1], print: derived[2]}, nil
}

// FingerprintKey is the key for plan.Fingerprint.
func (b *Box) FingerprintKey() []byte { return b.print }

// Seal encrypts a value for a purpose, as "env STAGE APP KEY".
func (b *Box) Seal(purpose, value string) setops.Sealed {
	mac := hmac.New(sha256.New, b.nonce)
	fmt.Fprintf(mac, "%d:%s", len(purpose), purpose)
	mac.Write([]byte(value))
	nonce := mac.Sum(nil)[:chacha20poly1305.NonceSizeX]
	text := b.aead.Seal(nonce, nonce, []byte(value), []byte(purpose))
	return setops.Sealed(Prefix + base64.RawStdEncoding.EncodeToString(text))
}

// Open decrypts what Seal made for the same purpose.
func (b *Box) Open(purpose string, sealed setops.Sealed) (string, error) {
	if len(sealed) < len(Prefix) || string(sealed[:len(Prefix)]) != Prefix {
		return "", errors.New("open sealed value: it is none")
	}
	text, err := base64.RawStdEncoding.DecodeString(string(sealed[len(Prefix):]))
	if err != nil || len(text) < chacha20poly1305.NonceSizeX {
		return "", errors.New("open sealed value: it is damaged")
	}
	value, err := b.aead.Open(nil, text[:chacha20poly1305.NonceSizeX], text[chacha20poly1305.NonceSizeX:], []byte(purpose))
	if err != nil {
		return "", errors.New("open sealed value: it was sealed by another key or for another purpose")
	}
	return string(value), nil
}

// EnvPurpose is the purpose of a variable's value.
func EnvPurpose(stageID, app, key string) string { return "env " + stageID + " " + app + " " + key }

// OpenEnv opens all variables of an app, for its tasks.
func (b *Box) OpenEnv(stageID string, app *setops.App) (map[string]string, error) {
	return b.openEnv(stageID, app, func(setops.EnvVar) bool { return true })
}

// OpenShown opens the variables of an app that may be shown to people: all but the secret ones.
func (b *Box) OpenShown(stageID string, app *setops.App) (map[string]string, error) {
	return b.openEnv(stageID, app, func(v setops.EnvVar) bool { return !v.Secret })
}

func (b *Box) openEnv(stageID string, app *setops.App, opened func(setops.EnvVar) bool) (map[string]string, error) {
	env := make(map[string]string, len(app.Env))
	for key, v := range app.Env {
		if !opened(v) {
			continue
		}
		value, err := b.Open(EnvPurpose(stageID, app.Name, key), v.Value)
		if err != nil {
			return nil, fmt.Errorf("variable %s of app %s: %w", key, app.Name, err)
		}
		env[key] = value
	}
	return env, nil
}
