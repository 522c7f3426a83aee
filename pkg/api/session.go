package api

import "time"

// Credentials sign a user in: POST /v1/sessions.
type Credentials struct {
	Organization string `json:"organization" maxLength:"64"`
	Email        string `json:"email" maxLength:"254" doc:"The user's e-mail address, or the name of a service user"`
	Password     string `json:"password" maxLength:"1024"`
	ServiceUser  bool   `json:"service_user,omitempty" doc:"The token then lives 4 hours"`
}

// Session is a signed-in user: the answer of POST and GET /v1/sessions. The tokens are only in the answer of POST.
type Session struct {
	Organization   string    `json:"organization"`
	Email          string    `json:"email"`
	Token          string    `json:"token,omitempty" doc:"Send it as 'Authorization: Bearer TOKEN'"`
	ExpiresAt      time.Time `json:"expires_at" doc:"When the token expires; in the year 9999: never"`
	RefreshToken   string    `json:"refresh_token,omitempty" doc:"Is traded for the next token at /v1/oauth/token, once; absent where the session is not renewed"`
	RenewableUntil time.Time `json:"renewable_until,omitzero" doc:"Until when the session is renewed by its use; absent where it is not"`
}

// Never is the expiry of what does not expire, where there has to be one.
func Never() time.Time { return time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC) }

// SessionInfo is one of somebody's sessions in a list: GET /v1/account/sessions.
type SessionInfo struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" enum:"person,service,browser" doc:"person: of the command line, renewed by its use; service: of a service user; browser"`
	Name      string    `json:"name" doc:"From where it was begun"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero" doc:"When it was last used, to some minutes; absent: never"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Current   bool      `json:"current" doc:"It is the session of this request"`
}

// SessionList is the answer of GET /v1/account/sessions.
type SessionList struct {
	Sessions []SessionInfo `json:"sessions"`
}

// TokenList is the answer of GET /v1/account/tokens.
type TokenList struct {
	Tokens []Token `json:"tokens"`
}

// NewToken asks for an API token: POST /v1/account/tokens.
type NewToken struct {
	Name      string `json:"name" maxLength:"256" doc:"What the token is for"`
	ExpiresIn int64  `json:"expires_in,omitempty" minimum:"0" maximum:"3153600000" doc:"Seconds that it holds; 0 or absent: until it is destroyed"`
}

// Token is an API token. The token itself is only in the answer that made it.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Token     string    `json:"token,omitempty" doc:"Send it as 'Authorization: Bearer TOKEN'"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero" doc:"When it was last used, to some minutes; absent: never"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"Absent: never"`
}

// DeviceCode is how a program asks a person to sign it in: the answer of POST /v1/oauth/device, as RFC 8628 has it.
type DeviceCode struct {
	DeviceCode              string `json:"device_code" doc:"For the program alone"`
	UserCode                string `json:"user_code" doc:"To be compared by the person"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete" doc:"The same with the code in it"`
	ExpiresIn               int    `json:"expires_in" doc:"Seconds"`
	Interval                int    `json:"interval" doc:"Seconds to wait between two questions"`
}

// OAuthToken is the answer of POST /v1/oauth/token. Organization, Email and SessionExpiresIn are ours, all else is OAuth's.
type OAuthToken struct {
	AccessToken      string `json:"access_token"`
	TokenType        string `json:"token_type" doc:"Bearer"`
	ExpiresIn        int64  `json:"expires_in" doc:"Seconds"`
	RefreshToken     string `json:"refresh_token,omitempty"`
	Organization     string `json:"organization"`
	Email            string `json:"email"`
	SessionExpiresIn int64  `json:"session_expires_in,omitempty" doc:"Seconds until the session ends unless it is renewed before"`
}

// OAuthError is the body of a refusal of /v1/oauth/…: a ServiceError that is one of OAuth's, too.
type OAuthError struct {
	ServiceError
	Reason      string `json:"error" doc:"As RFC 6749 and RFC 8628 name it"`
	Description string `json:"error_description,omitempty"`
}

// Unwrap gives it as what every other refusal is.
func (e *OAuthError) Unwrap() error { return &e.ServiceError }

// What OAuthError.Reason can be.
const (
	OAuthPending     = "authorization_pending"
	OAuthSlowDown    = "slow_down"
	OAuthDenied      = "access_denied"
	OAuthExpired     = "expired_token"
	OAuthInvalid     = "invalid_grant"
	OAuthBadRequest  = "invalid_request"
	OAuthUnsupported = "unsupported_grant_type"
)

// The grants of POST /v1/oauth/token.
const (
	DeviceGrant  = "urn:ietf:params:oauth:grant-type:device_code"
	RefreshGrant = "refresh_token"
)
