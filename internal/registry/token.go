package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// tokenLifetime bounds how long somebody whose password was changed goes on
// being recognised; what they may do is asked on every request all the same.
const tokenLifetime = 15 * time.Minute

// tokenPrefix tells our tokens from API tokens, and from another format later.
const tokenPrefix = "reg1."

// tokenSigner makes and checks bearer tokens:
//
//	reg1.BASE64(JSON of claims).BASE64(HMAC-SHA256 of all before)
//
// They say who somebody is and until when, not what they may do.
type tokenSigner struct {
	key []byte
	now func() time.Time
}

type claims struct {
	Identity
	Expires int64 `json:"e"` // Unix seconds
}

func (s tokenSigner) sign(who Identity) (string, error) {
	payload, err := json.Marshal(claims{Identity: who, Expires: s.now().Add(tokenLifetime).Unix()})
	if err != nil {
		return "", fmt.Errorf("encode token of %s: %w", who.User, err)
	}
	signed := tokenPrefix + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(s.mac(signed)), nil
}

// verify returns ErrCredentials for whatever is not a token of ours in force.
func (s tokenSigner) verify(token string) (Identity, error) {
	dot := strings.LastIndexByte(token, '.')
	if !strings.HasPrefix(token, tokenPrefix) || dot < len(tokenPrefix) {
		return Identity{}, ErrCredentials
	}
	signed := token[:dot]
	mac, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil || !hmac.Equal(mac, s.mac(signed)) {
		return Identity{}, ErrCredentials
	}
	payload, err := base64.RawURLEncoding.DecodeString(signed[len(tokenPrefix):])
	if err != nil {
		return Identity{}, ErrCredentials
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil || s.now().Unix() >= c.Expires {
		return Identity{}, ErrCredentials
	}
	return c.Identity, nil
}

func (s tokenSigner) mac(signed string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(signed))
	return mac.Sum(nil)
}
