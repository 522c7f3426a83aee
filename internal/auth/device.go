package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// How a program is signed in by a person in a browser: RFC 8628.
const (
	DeviceLife      = 10 * time.Minute
	DeviceInterval  = 2 * time.Second
	devicePatience  = 5 * time.Second // what is added to the interval of who asks too often
	redeemGrace     = time.Minute     // in which tokens are given again: their answer can get lost
	devicesOfOne    = 100             // that wait at the same time, from one address
	devicesOfAll    = 10_000
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ" // no vowels: no words; nothing that looks like a digit
	userCodeLength  = 8
)

// What a program that asks for its tokens is told instead.
var (
	ErrDevicePending = errors.New("nobody has decided yet")
	ErrDeviceHasty   = errors.New("it asks too often")
	ErrDeviceDenied  = errors.New("it was denied")
	ErrDeviceExpired = errors.New("its code is unknown, or its time is over")
)

// BeginDevice lets a program ask for a person; name says what it is. It gives the device code, which only the program may
// know. Errors: Overload (temporary).
func (s *Sessions) BeginDevice(ctx context.Context, name, from string) (d setops.Device, code string, err error) {
	code, hash := NewToken()
	now := s.now()
	d = setops.Device{
		Hash: hash, UserCode: newUserCode(), Name: name, Address: from, Interval: DeviceInterval,
		CreatedAt: now, ExpiresAt: now.Add(DeviceLife),
	}
	ok, err := s.store.AddDevice(ctx, d, devicesOfOne, devicesOfAll)
	if err == nil && !ok {
		err = overload("too many sign-ins wait for somebody to allow them; try again in some minutes")
	}
	return d, code, err
}

// Device gives the program that shows a code to somebody. ok is false where none does, or its time is over. Errors: Overload
// (temporary) after too many codes that nobody shows.
func (s *Sessions) Device(ctx context.Context, u setops.User, userCode string) (d setops.Device, ok bool, err error) {
	key := "device\x00" + u.ID
	if err := s.throttled(ctx, key); err != nil {
		return d, false, err
	}
	d, ok, err = s.store.DeviceOfCode(ctx, plainCode(userCode))
	if err != nil {
		return d, false, err
	}
	if ok = ok && s.now().Before(d.ExpiresAt) && d.User.ID == ""; !ok {
		err = s.throttle.failed(ctx, key)
	}
	return d, ok, err
}

// Decide lets a person allow or deny the program that shows a code; ok is false where it is too late.
func (s *Sessions) Decide(ctx context.Context, by setops.Session, userCode string, allow bool) (ok bool, err error) {
	d, ok, err := s.Device(ctx, by.User, userCode)
	if err != nil || !ok {
		return false, err
	}
	ok, err = s.store.DecideDevice(ctx, d.UserCode, by.User, allow, s.now())
	if ok && err == nil {
		s.log.Info("device decided", "email", by.User.Email, "device", d.Name, "address", d.Address, "allowed", allow)
		action := allowedDevice
		if !allow {
			action = deniedDevice
		}
		s.audit.Did(ctx, by.User, action, d.Address)
	}
	return ok, err
}

// RedeemDevice gives a program its session once a person has allowed it. Errors: one of ErrDevice….
func (s *Sessions) RedeemDevice(ctx context.Context, code string) (Grant, error) {
	d, ok, hasty, err := s.store.PollDevice(ctx, hashToken(code), s.now(), devicePatience)
	switch {
	case err != nil:
		return Grant{}, err
	case !ok || !s.now().Before(d.ExpiresAt):
		return Grant{}, ErrDeviceExpired
	case hasty:
		return Grant{}, ErrDeviceHasty
	case d.User.ID == "":
		return Grant{}, ErrDevicePending
	case d.Denied:
		return Grant{}, ErrDeviceDenied
	}
	session := setops.Session{ID: newSessionID(), User: d.User, Kind: setops.PersonSession, Name: d.Name, CreatedAt: s.now(), UsedAt: s.now()}
	g, tokens := s.grant(session)
	if err := s.store.RedeemDevice(ctx, d.Hash, g.Session, redeemGrace, tokens...); err != nil {
		return Grant{}, err
	}
	s.log.Info("signed in", "organization", d.User.Organization, "email", d.User.Email, "kind", session.Kind, "from", d.Name)
	if d.SessionID == "" { // else it asks again for what it was given
		s.audit.SignedIn(ctx, d.User, string(session.Kind), d.Name)
	}
	return g, nil
}

func newUserCode() string {
	code := make([]byte, userCodeLength)
	for i := range code {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(userCodeLetters)))) // never fails: crypto/rand ends the program instead
		code[i] = userCodeLetters[n.Int64()]
	}
	return string(code)
}

// ShownCode is a user code as people read it.
func ShownCode(code string) string {
	if len(code) != userCodeLength {
		return code
	}
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}

// plainCode is a user code without what people write into it.
func plainCode(code string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(userCodeLetters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(code))
}
