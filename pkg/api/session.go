package api

import "time"

// Credentials sign a user in: POST /v1/sessions.
type Credentials struct {
	Organization string `json:"organization" maxLength:"64"`
	Email        string `json:"email" maxLength:"254" doc:"The user's e-mail address, or the name of a service user"`
	Password     string `json:"password" maxLength:"1024"`
	ServiceUser  bool   `json:"service_user,omitempty" doc:"The token then lives 4 hours"`
}

// Session is a signed-in user: the answer of POST and GET /v1/sessions. Token is only in the answer of POST.
type Session struct {
	Organization string    `json:"organization"`
	Email        string    `json:"email"`
	Token        string    `json:"token,omitempty" doc:"Send it as 'Authorization: Bearer TOKEN'"`
	ExpiresAt    time.Time `json:"expires_at"`
}
