package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// oauthForm is a request of OAuth 2.0, which has forms and no JSON.
type oauthForm struct {
	FromSomewhere
	RawBody []byte `contentType:"application/x-www-form-urlencoded"`
}

func (in *oauthForm) values() (url.Values, error) {
	form, err := url.ParseQuery(string(in.RawBody))
	if err != nil {
		return nil, oauthRefusal(http.StatusBadRequest, api.OAuthBadRequest, setops.ValidationFailed, "the body is no form")
	}
	return form, nil
}

// secretAnswer is an answer that nobody may keep but who asked for it.
type secretAnswer[T any] struct {
	CacheControl string `header:"Cache-Control"`
	Body         T
}

func secret[T any](body T) *secretAnswer[T] {
	return &secretAnswer[T]{CacheControl: "no-store", Body: body}
}

// oauthRoutes says what huma cannot find out: the fields of the forms.
func (s *Server) oauthRoutes(h huma.API) {
	open(s, h, post(api.DevicePath, "begin-device", "Ask a person to sign a program in (RFC 8628)", http.StatusOK), s.beginDevice)
	open(s, h, post(api.OAuthTokenPath, "trade-token", "Trade a device code or a refresh token for tokens", http.StatusOK), s.tradeToken)
	describeForm(h, api.DevicePath, map[string]string{
		"client_id": "Which program it is, as setops", "device_name": "Where it runs; is shown to the person",
	})
	describeForm(h, api.OAuthTokenPath, map[string]string{
		"grant_type":    api.DeviceGrant + " or " + api.RefreshGrant,
		"client_id":     "Which program it is, as setops",
		"device_code":   "Of the answer of POST " + api.DevicePath,
		"refresh_token": "Of the last answer; it can be used once",
	})
}

func describeForm(h huma.API, path string, fields map[string]string) {
	schema := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for name, what := range fields {
		schema.Properties[name] = &huma.Schema{Type: huma.TypeString, Description: what}
	}
	h.OpenAPI().Paths[path].Post.RequestBody.Content["application/x-www-form-urlencoded"].Schema = schema
}

func (s *Server) beginDevice(ctx context.Context, in *oauthForm) (*secretAnswer[api.DeviceCode], error) {
	form, err := in.values()
	if err != nil {
		return nil, err
	}
	name := printable(form.Get("client_id"), 40)
	if name == "" {
		name = "a program"
	}
	if where := printable(form.Get("device_name"), 60); where != "" {
		name += " on " + where
	}
	d, code, err := s.Sessions.BeginDevice(ctx, name, in.address)
	if err != nil {
		return nil, err
	}
	shown, page := auth.ShownCode(d.UserCode), cmp.Or(s.PublicURL, in.base)+api.DevicePage
	return secret(api.DeviceCode{
		DeviceCode: code, UserCode: shown, VerificationURI: page, VerificationURIComplete: page + "?user_code=" + url.QueryEscape(shown),
		ExpiresIn: int(auth.DeviceLife / time.Second), Interval: int(d.Interval / time.Second),
	}), nil
}

func (s *Server) tradeToken(ctx context.Context, in *oauthForm) (*secretAnswer[api.OAuthToken], error) {
	form, err := in.values()
	if err != nil {
		return nil, err
	}
	var g auth.Grant
	switch form.Get("grant_type") {
	case api.DeviceGrant:
		g, err = s.Sessions.RedeemDevice(ctx, form.Get("device_code"))
	case api.RefreshGrant:
		g, err = s.Sessions.Renew(ctx, form.Get("refresh_token"))
	default:
		err = oauthRefusal(http.StatusBadRequest, api.OAuthUnsupported, setops.ValidationFailed,
			"grant_type is neither "+api.DeviceGrant+" nor "+api.RefreshGrant)
	}
	if err != nil {
		return nil, tradeError(err)
	}
	now := time.Now()
	return secret(api.OAuthToken{
		AccessToken: g.Token, TokenType: "Bearer", ExpiresIn: seconds(g.ExpiresAt.Sub(now)), RefreshToken: g.Refresh,
		Organization: g.Session.User.Organization, Email: g.Session.User.Email, SessionExpiresIn: seconds(g.Session.ExpiresAt.Sub(now)),
	}), nil
}

func seconds(d time.Duration) int64 { return int64(max(0, d.Round(time.Second)) / time.Second) }

// tradeError says in OAuth's words why there are no tokens. What is not one of its refusals stays what it is.
func tradeError(err error) error {
	switch {
	case errors.Is(err, auth.ErrDevicePending):
		return oauthRefusal(http.StatusBadRequest, api.OAuthPending, setops.SessionInvalid, "nobody has allowed the sign-in yet")
	case errors.Is(err, auth.ErrDeviceHasty):
		return oauthRefusal(http.StatusBadRequest, api.OAuthSlowDown, setops.Overload, "wait five seconds longer between two questions")
	case errors.Is(err, auth.ErrDeviceDenied):
		return oauthRefusal(http.StatusBadRequest, api.OAuthDenied, setops.SessionInvalid, "the sign-in was denied in the browser")
	case errors.Is(err, auth.ErrDeviceExpired):
		return oauthRefusal(http.StatusBadRequest, api.OAuthExpired, setops.SessionInvalid, "the code is unknown, or was not confirmed in time; run `setops login` again")
	case setops.IsCode(err, setops.SessionInvalid):
		return oauthRefusal(http.StatusBadRequest, api.OAuthInvalid, setops.SessionInvalid, err.Error())
	}
	return err
}

func oauthRefusal(status int, reason string, code setops.Code, message string) *api.OAuthError {
	kind := setops.AuthenticationError
	if code == setops.ValidationFailed {
		kind = setops.ValidationError
	}
	return &api.OAuthError{
		Reason: reason, Description: message,
		ServiceError: api.ServiceError{
			Status: status, Type: string(kind), Code: string(code), Message: message,
			Temporary: reason == api.OAuthPending || reason == api.OAuthSlowDown,
		},
	}
}
