/*
 * The rule of admission by choice.
 */
#include "snc/admission.h"

#include "lib/base/str.h"

static const double dearest = 1.5;

bool
admission_parse(const char *text, enum admission_policy *policy, struct err *err)
{
	if (text && str_equal(text, "many")) {
		*policy = ADMISSION_MANY;
		return true;
	}
	if (text && !str_equal(text, "all"))
		return err_set(err, ERR_BAD_VALUE,
		    "[snc] admission is '%.40s': all and many are possible", text);
	*policy = ADMISSION_ALL;
	return true;
}

static double
share(const struct admission_case *asked, const struct admission_amounts *amounts, size_t thing)
{
	double size = asked->size.of[thing];

	return size > 0 ? amounts->of[thing] / size : 0;
}

double
admission_weight(const struct admission_case *asked)
{
	double sum = 0;

	for (size_t i = 0; i < ADMISSION_THINGS; i++)
		sum += share(asked, &asked->asked, i);
	return sum * asked->life;
}

double
admission_part(const struct admission_case *asked)
{
	double n = (double)asked->n_others + 1, own = admission_weight(asked), price = 0;

	for (size_t i = 0; i < ADMISSION_THINGS; i++) {
		double load = share(asked, &asked->used, i);

		price += load > 0 ? load * load * share(asked, &asked->takes, i) : 0;
	}
	price *= asked->life;
	if (price <= dearest * (asked->others + own) / n)
		return 1;
	/* less of it would also ask for less */
	return dearest * asked->others / n / (price - dearest * own / n);
}
