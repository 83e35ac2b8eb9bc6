package fastapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// Fail writes {"detail": …}: a list of what is wrong with the fields, as
// FastAPI's validation does with status 422, or else one sentence.
func Fail(a *dialect.Answer, e *dialect.Error) {
	a.Status = e.Kind.Status()
	a.Raw(`{"detail":`)
	switch e.Kind {
	case dialect.Syntax:
		a.Status = http.StatusUnprocessableEntity
		problem(a, "json_invalid", []string{"body"}, e.Message)
	case dialect.Field:
		a.Status = http.StatusUnprocessableEntity
		kind := "type_error"
		if e.Missing {
			kind = "missing"
		}
		from := "body"
		if e.Query {
			from = "query"
		}
		problem(a, kind, append([]string{from}, location(e.Field)...), e.Message)
	case dialect.NoRoute:
		a.String("Not Found")
	case dialect.NoMethod:
		a.String("Method Not Allowed")
	case dialect.Unsupported:
		a.Status = http.StatusBadRequest
		a.String(e.Message)
	default:
		a.String(e.Message)
	}
	a.Raw(`}`)
}

func problem(a *dialect.Answer, kind string, loc []string, message string) {
	a.Raw(`[{"type":`)
	a.String(kind)
	a.Raw(`,"loc":`)
	a.List(len(loc), func(i int) {
		if n, err := strconv.Atoi(loc[i]); err == nil {
			a.Int(n)
		} else {
			a.String(loc[i])
		}
	})
	a.Raw(`,"msg":`)
	a.String(message)
	a.Raw(`}]`)
}

// location splits texts[3] into texts and 3.
func location(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return strings.ContainsRune("[].", r) })
}
