package api

import "time"

// User is somebody who has a role on a project or a stage, or was invited to one.
type User struct {
	Email       string `json:"email" doc:"The e-mail address, or NAME@ORGANIZATION of a service user"`
	Role        string `json:"role" enum:"admin,member"`
	ServiceUser bool   `json:"service_user,omitempty"`
	Invited     bool   `json:"invited,omitempty" doc:"The invitation was not accepted yet"`
}

// NewUser is the body that gives somebody a role, at once where the user is one of the organization, else by an invitation.
type NewUser struct {
	Email string `json:"email" maxLength:"254" doc:"The e-mail address, or the name of a service user of the organization"`
	Role  string `json:"role,omitempty" enum:"admin,member" default:"member"`
}

// Invited is the answer to a NewUser. The rest is empty where the user has the role already.
type Invited struct {
	Email     string     `json:"email"`
	Role      string     `json:"role" enum:"admin,member"`
	Invited   bool       `json:"invited,omitempty" doc:"There was no such user: there is an invitation now, which must be accepted"`
	Mailed    bool       `json:"mailed,omitempty" doc:"The link was sent to the e-mail address"`
	MailError string     `json:"mail_error,omitempty" doc:"Why it could not be sent"`
	Link      string     `json:"link,omitempty" doc:"Where the invitation is accepted, to hand over; empty where it was mailed. Whoever has it can accept"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Of the invitation"`
}

// AcceptInvitation is the body that accepts an invitation.
type AcceptInvitation struct {
	Token    string `json:"token" maxLength:"256" doc:"The last part of the link"`
	Password string `json:"password" maxLength:"1024" doc:"Of the new account; where the e-mail address has one already, that of the account"`
}

// Accepted is who has accepted an invitation, and can sign in now.
type Accepted struct {
	Organization string `json:"organization"`
	Email        string `json:"email"`
}

// Organization is one of those that the user belongs to.
type Organization struct {
	Name    string `json:"name"`
	Admin   bool   `json:"admin" doc:"Whether the user is an admin of the organization itself"`
	Current bool   `json:"current" doc:"Whether it is the one of this session"`
}

// SwitchOrganization is the body that changes to another organization.
type SwitchOrganization struct {
	Organization string `json:"organization" maxLength:"64"`
}

// ServiceUser is a user that is no person, as a pipeline.
type ServiceUser struct {
	Name      string    `json:"name"`
	Email     string    `json:"email" doc:"What it is called among users: NAME@ORGANIZATION"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
}

// NewServiceUser is the body that makes a service user with a role.
type NewServiceUser struct {
	Name string `json:"name" maxLength:"64"`
	Role string `json:"role,omitempty" enum:"admin,member" default:"member"`
}

// ServiceCredentials are what a service user signs in with. The password is shown this once.
type ServiceCredentials struct {
	Organization string `json:"organization"`
	Name         string `json:"name"`
	Password     string `json:"password,omitempty"`
	Role         string `json:"role,omitempty" enum:"admin,member" doc:"Where it was made with one"`
}
