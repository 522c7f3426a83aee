package setops

import "time"

// SessionKind says how somebody came to be signed in.
type SessionKind string

// The kinds of sessions.
const (
	PersonSession  SessionKind = "person"  // of the command line: it is renewed as long as it is used
	ServiceSession SessionKind = "service" // of a service user: it ends by itself and is not renewed
	BrowserSession SessionKind = "browser"
	APIToken       SessionKind = "token" // made by hand, for scripts
)

// Session is a sign-in that lasts until it expires, or somebody ends it.
type Session struct {
	ID        string
	User      User
	Kind      SessionKind
	Name      string // of an API token; of a session, from where it was begun
	CreatedAt time.Time
	UsedAt    time.Time // exact to some minutes; zero: never
	ExpiresAt time.Time // zero: never
}

// TokenUse says what a token is good for, and that it is for nothing else.
type TokenUse string

// The uses of tokens.
const (
	AccessToken  TokenUse = "access"  // asks the API
	RefreshToken TokenUse = "refresh" // is traded for the next access token, once
	BrowserToken TokenUse = "browser" // is in the cookie of a browser
)

// Token is what a session is proved with, as the server keeps it: by its hash.
type Token struct {
	Hash      string
	Use       TokenUse
	ExpiresAt time.Time // zero: never
	Session   Session
}

// Device is a program that asks a person to sign it in, in a browser: RFC 8628.
type Device struct {
	Hash      string // of the device code, which only the program knows
	UserCode  string // which the person compares; without its dash
	Name      string // what the program says that it is
	Address   string // from where it asks
	Interval  time.Duration
	PolledAt  time.Time // zero: not yet
	CreatedAt time.Time
	ExpiresAt time.Time

	User      User // who has allowed it; empty: nobody yet
	Denied    bool
	SessionID string // it has its tokens; empty: not yet
}

// Renewal is what becomes of a refresh token that is presented.
type Renewal string

// What becomes of refresh tokens.
const (
	TokenRenewed Renewal = "renewed"
	TokenUnknown Renewal = "unknown"
	TokenReused  Renewal = "reused" // it was spent before: its session is ended
)
