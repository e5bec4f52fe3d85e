#include "bench/admission.h"

static const double dearest = 1.5;

struct amount {
	double cpu, rate;
};

static void
sum_net(const struct core_net *net, struct amount *size, struct amount *used)
{
	*size = *used = (struct amount){0};
	for (size_t i = 0; i < net->n_hosts; i++) {
		size->cpu += (double)net->hosts[i].size[0];
		used->cpu += (double)(net->hosts[i].size[0] - net->hosts[i].room[0]);
	}
	for (size_t i = 0; i < net->n_slots; i++) {
		size->rate += (double)net->slots[i].size;
		used->rate += (double)(net->slots[i].size - net->slots[i].free);
	}
}

/* On the paths of an answer; without one every link takes one hop. */
static struct amount
sum_request(const struct core_request *request, const struct core_answer *answer)
{
	struct amount sum = {0};

	for (size_t i = 0; i < request->n_nodes; i++)
		sum.cpu += (double)request->nodes[i].wants[0];
	for (size_t i = 0; i < request->n_links; i++)
		sum.rate += (double)(request->links[i].up + request->links[i].down) *
			    (answer ? (double)answer->paths[i].n_arcs : 1);
	return sum;
}

bool
admission_takes(struct admission *admission, const struct core_net *net,
    const struct core_request *request, const struct core_answer *answer, double life)
{
	struct amount size, used, asked = sum_request(request, NULL), takes;
	double cpu_load, rate_load, price;

	sum_net(net, &size, &used);
	admission->asked += (asked.cpu / size.cpu + asked.rate / size.rate) * life;
	admission->n_asked++;
	if (answer->n_placed < request->n_nodes)
		return false;
	takes = sum_request(request, answer);
	cpu_load = used.cpu / size.cpu;
	rate_load = used.rate / size.rate;
	price = cpu_load * cpu_load * takes.cpu / size.cpu +
		rate_load * rate_load * takes.rate / size.rate;
	return price * life <= dearest * admission->asked / (double)admission->n_asked;
}
